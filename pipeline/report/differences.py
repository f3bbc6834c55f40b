"""The section of where the shop's own stock is not ours."""

from __future__ import annotations

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures, Row
from pipeline.report.parts import Section, Table, product_of, shortened
from pipeline.report.sales import shown_of


def stock(figures: Figures, voice: Voice) -> Section:
    """What of the stock is not as the shop says, the dearest first, why; and what was booked so."""
    _ = voice.gettext
    found = figures.lists["diferencias"]
    rows = [row for row in found if row["id_producto"] is not None]
    booked = _booked(figures, voice)
    return Section(
        "differences",
        _("Stock that is not the shop's own"),
        " ".join(filter(None, (_note(rows, voice), booked))),
        Table(
            [
                *(_("Product"), _("Branch"), _("Since")),
                *(_("Ours"), _("The shop's"), _("Difference"), _("Value")),
            ],
            [
                [
                    product_of(row),
                    shortened(_branch(row)),
                    voice.moment(row["desde"]),
                    voice.quantity(row["nuestras"]),
                    voice.quantity(row["tienda"]),
                    voice.quantity(row["diferencia"]),
                    voice.money(row["valor"]),
                ]
                for row in rows
            ],
            words=3,
        ),
        " ".join(filter(None, (_calm(voice, told=bool(found)), booked))),
    )


def _calm(voice: Voice, *, told: bool) -> str:
    _ = voice.gettext
    if told:
        return _("The stock is the shop's own, product by product.")
    return _("The shop does not tell its own stock: there is no existencias.sql.")


def _booked(figures: Figures, voice: Voice) -> str:
    """What of the stock rests on no document of the shop."""
    return " ".join(
        voice.gettext(
            "Part of it rests on {adjustments} adjustments of {products} products, booked between "
            "{first} and {last} because the shop said so: no document of its has them. They come "
            "to {value}."
        ).format(
            adjustments=voice.quantity(row["ajustes"]),
            products=voice.quantity(row["ajustes_productos"]),
            first=voice.moment(row["ajustes_desde"]),
            last=voice.moment(row["ajustes_hasta"]),
            value=voice.money(row["ajustes_valor"]),
        )
        for row in figures.lists["ajustes"]
    )


def _branch(row: Row) -> str:
    branch = row["sucursal"] or row["id_sucursal"]
    return "" if branch is None else str(branch)


def _note(rows: list[Row], voice: Voice) -> str:
    _ = voice.gettext
    if not rows:
        return ""
    first = rows[0]
    note = _(
        "{products} products, worth {value}. Usually due to the stock with which the shop began, "
        "types out of scope, rejects, drafts, or documents that movimientos.sql does not carry; "
        "see the view {view}."
    ).format(
        products=voice.quantity(first["productos"]),
        value=voice.money(first["de_todas"]),
        view="dw.v_diferencias_existencias",
    )
    if first["en_espera"]:
        waiting = _("{movements} movements of these products wait as rejects.")
        note += " " + waiting.format(movements=voice.quantity(first["en_espera"]))
    return shown_of(voice, rows, note, "dw.v_diferencias_existencias")
