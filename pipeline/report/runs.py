"""The sections for whoever looks after the runs."""

from __future__ import annotations

from pipeline.base.voice import Voice
from pipeline.report import charts
from pipeline.report.charts import Series
from pipeline.report.figures import Figures
from pipeline.report.parts import Section, Table


def by_day(figures: Figures, voice: Voice) -> Section:
    """What the runs of the last four weeks carried."""
    _ = voice.gettext
    rows = figures.lists["corridas_por_dia"]
    title = _("Runs of the last four weeks")
    chart = ""
    if rows:
        moved = Series(_("Movements"), [row["movimientos"] for row in rows])
        drawing = charts.by_day([row["dia"] for row in rows], moved, None, voice)
        chart = charts.draw(drawing, title, voice)
    return Section(
        "runs",
        title,
        _("Movements that were new, changed or removed, by the day on which the run ended."),
        Table(
            [_("Day"), _("Runs"), _("Movements"), _("Longest run, seconds")],
            [
                [
                    voice.long_day(row["dia"]),
                    voice.quantity(row["corridas"]),
                    voice.quantity(row["movimientos"]),
                    voice.tenths(row["segundos"]),
                ]
                for row in reversed(rows)
            ],
        ),
        _("No run yet."),
        chart,
    )


def last(figures: Figures, voice: Voice) -> Section:
    """The last runs, one by one."""
    _ = voice.gettext
    columns = ("nuevas", "cambiadas", "retiradas", "rechazadas")
    return Section(
        "last-runs",
        _("Last runs"),
        _("Times in the shop's zone; a run that failed is resumed by the next one."),
        Table(
            [
                _("Data until"),
                *(_("New"), _("Changed"), _("Removed"), _("Rejected")),
                _("Seconds"),
            ],
            [
                [
                    voice.moment(row["hasta"]),
                    *(voice.quantity(row[column]) for column in columns),
                    voice.tenths(row["segundos"]),
                ]
                for row in figures.lists["corridas"]
            ],
        ),
        _("No run yet."),
    )
