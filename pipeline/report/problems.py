"""What is wrong, before anything else: what to put right, and what the figures rest on."""

from __future__ import annotations

from datetime import timedelta

from pipeline.base.movement_names import name_of
from pipeline.base.voice import Voice
from pipeline.report.figures import Figures
from pipeline.report.parts import Section, Table, product_of, shortened
from pipeline.report.sales import shown_of
from pipeline.state.told import Failed
from pipeline.translation import mark as N_

# Why etl.motivo_rechazo() refuses a movement, and what the shop has to put right.
_REASONS = {
    "producto desconocido": N_("its product is not in the list of products"),
    "perdió su producto": N_("its product was deleted"),
    "sin fecha": N_("it has no date"),
    "fecha futura": N_("its date has not come yet"),
    "sin cantidad": N_("it has no quantity"),
    "cantidad negativa": N_("its quantity is negative"),
    "cantidad no positiva": N_("its quantity is zero or negative"),
    "cantidad fuera de rango": N_("its quantity is impossibly large"),
    "sin destino": N_("it does not say which branch it goes to"),
    "destino igual al origen": N_("it goes to the branch that it comes from"),
    "sin precio": N_("it has no price"),
    "precio negativo": N_("its price is negative"),
    "precio fuera de rango": N_("its price is impossibly large"),
    "sin costo": N_("it has no cost"),
    "costo negativo": N_("its cost is negative"),
    "costo fuera de rango": N_("its cost is impossibly large"),
    "importe fuera de rango": N_("its amount is impossible"),
    "impuesto negativo": N_("its tax is negative"),
    "impuesto fuera de rango": N_("its tax is no fraction of one, such as 0.18"),
}
_LEFT_OUT = {
    "tipo desconocido": N_("of a type that nobody has told of"),
    "fecha anterior": N_("dated before the history begins, or before their opening balance"),
}
# Of the failed runs, how many kinds are told.
_CAUSES = 5
# A run a day, and what it takes.
_OLD = timedelta(hours=26)


def notices(figures: Figures, voice: Voice) -> list[str]:
    """What a sentence says: a tax that nobody said, data that are old, runs that did not come."""
    _ = voice.gettext
    assert figures.until is not None and figures.day is not None
    found = []
    if not figures.tax_said:
        found.append(
            _(
                "Nobody has said which tax the prices have within: what is called net here counts "
                "none, and the margin is too high by all of it. Whoever looks after the pipeline "
                "says it once: python -m pipeline doctor tells how."
            )
        )
    ((last,),) = [tuple(row.values()) for row in figures.lists["ultima_venta"]]
    if last is not None and (figures.day - last).days > 7:
        found.append(
            _("The last sale is of {day}: nothing was sold in the {days} days since.").format(
                day=voice.long_day(last), days=voice.quantity((figures.day - last).days)
            )
        )
    gaps = figures.lists["huecos"]
    usual = max([_OLD, *(row["usual"] for row in gaps if row["usual"])])
    if figures.asked - figures.until > usual:
        found.append(
            _("The data are old: they reach up to {moment}, and no run has ended since.").format(
                moment=voice.moment(figures.until)
            )
        )
    found += _failed(figures, voice)
    found += [
        _("No run ended between {since} and {until}: they failed, or did not start.").format(
            since=voice.moment(row["desde"]), until=voice.moment(row["hasta"])
        )
        for row in gaps
        if row["desde"]
    ]
    return found


def _failed(figures: Figures, voice: Voice) -> list[str]:
    """The runs that are known to have failed, by their cause, the latest first."""
    _ = voice.gettext
    causes: dict[str, list[Failed]] = {}
    for run in reversed(figures.failed):
        causes.setdefault(run.cause, []).append(run)
    return [
        (
            _("A run failed, {moment}: {cause}")
            if len(runs) == 1
            else _("{count} runs failed, the last of them {moment}: {cause}")
        ).format(
            count=voice.quantity(len(runs)),
            moment=voice.moment(runs[0].when),
            cause=shortened(cause, 200),
        )
        for cause, runs in list(causes.items())[:_CAUSES]
    ]


def rejects(figures: Figures, voice: Voice) -> Section:
    """Movements that wait to become valid, each with what the shop has to put right."""
    _ = voice.gettext
    rows = figures.lists["rechazos"]

    def reason(code: str) -> str:
        return _(_REASONS[code]) if code in _REASONS else shortened(code)

    return Section(
        "rejects",
        _("Lines of documents that are not counted"),
        shown_of(
            voice,
            rows,
            _("Put them right in the shop, and the next run counts them."),
            "python -m pipeline rejects",
        ),
        Table(
            [_("Product"), _("Document"), _("What is wrong"), _("Date"), _("Quantity")],
            [
                [
                    product_of(row) if row["id_producto"] is not None or row["codigo"] else "",
                    shortened(row["documento"]),
                    reason(row["motivo"]),
                    ""
                    if row["fecha"] is None
                    else voice.table_day(row["fecha"].astimezone(voice.zone).date()),
                    voice.quantity(row["cantidad"]),
                ]
                for row in rows
            ],
            words=4,
        ),
        _("No movement is rejected."),
    )


def out_of_scope(figures: Figures, voice: Voice) -> Section:
    """Movements that no run carries, though nobody meant them to stay out."""
    _ = voice.gettext
    rows = figures.lists["fuera_de_alcance"]

    def why(code: str) -> str:
        return _(_LEFT_OUT[code]) if code in _LEFT_OUT else shortened(code)

    return Section(
        "out-of-scope",
        _("Left out though nobody meant it"),
        shown_of(voice, rows, _("No figure here counts them."), "python -m pipeline status"),
        Table(
            [_("Type"), _("Why"), _("Movements")],
            [
                [
                    shortened(name_of(row["tipo"], _)) if row["tipo"] else "",
                    why(row["motivo"]),
                    voice.quantity(row["movimientos"]),
                ]
                for row in rows
            ],
            words=2,
        ),
        _("Nothing is left out that was not meant to be."),
    )
