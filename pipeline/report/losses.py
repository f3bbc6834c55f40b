"""The sections of what came back, what was lost, and what counts found."""

from __future__ import annotations

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures
from pipeline.report.parts import Section, Table, product_of, shortened
from pipeline.report.sales import shown_of


def by_category(figures: Figures, voice: Voice) -> Section:
    """Returns and shrinkage beside the sales of each category, in 30 days."""
    _ = voice.gettext
    rows = figures.lists["perdidas"]
    note = _(
        "The last 30 days that are over. Returned: what returns and discounts took off the sales. "
        "Shrinkage: what was lost, at cost, less what was found."
    )
    return Section(
        "losses",
        _("Returns and shrinkage"),
        shown_of(voice, rows, note, "dw.mv_ventas_diarias"),
        Table(
            [
                *(_("Category"), _("Sales"), _("Returned"), _("Shrinkage")),
                _("Margin less shrinkage"),
            ],
            [
                [
                    shortened(row["categoria"]),
                    *(
                        voice.money(row[column])
                        for column in ("venta", "devoluciones", "mermas", "margen_tras_merma")
                    ),
                ]
                for row in rows
            ],
        ),
        _("Nothing came back and nothing was lost in the last 30 days that are over."),
    )


def counts(figures: Figures, voice: Voice) -> Section:
    """Where a count found another quantity than there should have been."""
    _ = voice.gettext
    rows = figures.lists["conteos"]
    note = _("The last 90 days: {found} were found, {lacking} lacked, at cost.").format(
        found=voice.money(rows[0]["sobrante"] if rows else None),
        lacking=voice.money(rows[0]["faltante"] if rows else None),
    )
    return Section(
        "counts",
        _("What counts found"),
        shown_of(voice, rows, note, "dw.v_conteos"),
        Table(
            [
                *(_("Product"), _("Branch"), _("Date"), _("Difference"), _("Worth")),
            ],
            [
                [
                    product_of(row),
                    _("All") if row["de_todo"] else shortened(row["sucursal"]),
                    voice.day(row["fecha"].astimezone(voice.zone).date()),
                    voice.quantity(row["diferencia"]),
                    voice.money(row["valor"]),
                ]
                for row in rows
            ],
            words=2,
        ),
        _("No count of the last 90 days found a difference."),
    )
