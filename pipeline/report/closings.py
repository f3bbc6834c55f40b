"""The section of the last closing, and of what was booked late."""

from __future__ import annotations

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures, Row
from pipeline.report.parts import Section, Table, product_of
from pipeline.report.sales import shown_of
from pipeline.translation import mark as N_

# Of what dw.v_correcciones says.
_HAPPENED = {
    "llegó tarde": N_("came late"),
    "corregido": N_("corrected"),
    "retirado": N_("taken back"),
}


def corrections(figures: Figures, voice: Voice) -> Section:
    """Up to when all is closed, and what of it was booked since."""
    _ = voice.gettext
    found = figures.lists["correcciones"]
    rows = [row for row in found if row["id_movimiento"] is not None]
    day = voice.long_day(found[0]["dia"]) if found else None
    note = _(
        "Closed up to {day}. What of it was booked since changes the value by {value} and the "
        "margin by {margin}; see the view {view}."
    )
    return Section(
        "corrections",
        _("Booked late"),
        shown_of(voice, rows, note, "dw.v_correcciones").format(
            day=day,
            value=voice.money(rows[0]["valor"] if rows else None),
            margin=voice.money(rows[0]["margen"] if rows else None),
            view="dw.v_correcciones",
        ),
        Table(
            [
                *(_("Product"), _("Movement"), _("Date"), _("What happened")),
                *(_("Stock"), _("Value"), _("Margin")),
            ],
            [
                [
                    product_of(row),
                    str(row["id_movimiento"]),
                    voice.table_day(row["fecha"].astimezone(voice.zone).date()),
                    _happened(row, voice),
                    voice.quantity(row["efecto_existencias"]),
                    voice.money(row["efecto_valor"]),
                    voice.money(row["efecto_margen"]),
                ]
                for row in rows
            ],
            words=4,
        ),
        _("Closed up to {day}; nothing of it came late or was corrected since.").format(day=day)
        if day
        else _("Nothing is closed."),
    )


def _happened(row: Row, voice: Voice) -> str:
    happened = _HAPPENED[row["que"]]
    return voice.gettext(happened)
