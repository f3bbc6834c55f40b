"""Today and this month, each beside what it is to be compared with."""

from __future__ import annotations

from decimal import Decimal

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures, Row
from pipeline.report.parts import Section, Table
from pipeline.report.sales import compared
from pipeline.translation import mark as N_

_NAMES = {
    "hoy": N_("Today"),
    "hace una semana": N_("The same day a week ago"),
    "hace un año": N_("The same weekday a year ago"),
    "este mes": N_("This month"),
    "el mes pasado": N_("Last month, to the same day"),
    "este mes, hace un año": N_("This month a year ago, to the same day"),
}


def now(figures: Figures, voice: Voice) -> Section:
    """What was taken today and this month, with and without tax, beside earlier ones."""
    _ = voice.gettext
    rows = figures.lists["periodos"] if any(r["bruta"] for r in figures.lists["periodos"]) else []
    return Section(
        "now",
        _("Today and this month"),
        _("Today, up to {time}, is not over. The change: today or this month against it.").format(
            time=voice.clock(figures.until)
        )
        if figures.until
        else "",
        Table(
            [_("Period"), _taken(figures, voice), _("Net of tax"), _("Margin"), _("Change")],
            [
                [
                    f"{_(_NAMES[row['periodo']])} ({_days(row, voice)})",
                    voice.money(row["bruta"]),
                    voice.money(row["venta"]),
                    voice.money(row["margen"]),
                    _change(rows, row, voice),
                ]
                for row in rows
            ],
        ),
        _("Nothing was sold in any of them."),
    )


def _taken(figures: Figures, voice: Voice) -> str:
    _ = voice.gettext
    return _("Taken, with tax") if figures.with_tax else _("Taken")


def _days(row: Row, voice: Voice) -> str:
    first, last = voice.day(row["desde"]), voice.day(row["hasta"])
    return first if row["desde"] == row["hasta"] else f"{first} \N{EN DASH} {last}"


def _change(rows: list[Row], row: Row, voice: Voice) -> str:
    """How the period that is now stands to this one; nothing of itself."""
    current = rows[0] if rows.index(row) < 3 else rows[3]
    if current is row:
        return ""
    return voice.change(compared(Decimal(current["bruta"]), Decimal(row["bruta"])))
