"""At which hour of which weekday the shop sells, and each branch."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures, Row
from pipeline.report.parts import Grid, Section, Table, shortened


def sales(figures: Figures, voice: Voice) -> Section:
    """What is taken in each hour of the week, on average of four weeks."""
    _ = voice.gettext
    rows = [row for row in figures.lists["horas"] if row["venta"] or row["tickets"]]
    note = _("What is taken in an hour, on average of the last four weeks that are over.")
    whole = [row for row in rows if row["id_sucursal"] is None]
    tickets = sum((row["tickets"] or Decimal(0) for row in whole), Decimal(0))
    if tickets:
        note += " " + _("A week has {tickets} tickets of {basket} on average.").format(
            tickets=voice.whole(tickets),
            basket=voice.money(sum((row["venta"] for row in whole), Decimal(0)) / tickets),
        )
    places: dict[int | None, list[Row]] = {}
    for row in rows:
        places.setdefault(row["id_sucursal"], []).append(row)
    several = len(places) > 1
    return Section(
        "hours",
        _("Sales by weekday and hour"),
        note,
        Table(
            [_("Weekday"), _("Taken"), _("Tickets")],
            [
                [
                    voice.weekday_name(day),
                    voice.money(_sum(whole, day, "venta")),
                    voice.quantity(_sum(whole, day, "tickets")) if tickets else "",
                ]
                for day in range(1, 8)
            ]
            if whole
            else [],
        ),
        _("Nothing was sold in the last four weeks that are over."),
        grids=[
            _grid(
                voice,
                _("All branches")
                if several and place is None
                else shortened(found[0]["sucursal"] or ""),
                found,
            )
            for place, found in places.items()
        ],
    )


def _grid(voice: Voice, title: str, rows: Sequence[Row]) -> Grid:
    amounts = {(row["hora"], row["dia_semana"]): row["venta"] for row in rows}
    largest = max([Decimal(1), *amounts.values()])
    hours = range(min(hour for hour, _ in amounts), max(hour for hour, _ in amounts) + 1)

    def cell(hour: int, day: int) -> tuple[str, float]:
        amount = amounts.get((hour, day))
        if not amount:
            return "", 0.0
        return voice.whole(amount), round(float(max(amount, Decimal(0)) / largest), 3)

    return Grid(
        title,
        [voice.weekday_name(day) for day in range(1, 8)],
        [(f"{hour}:00", [cell(hour, day) for day in range(1, 8)]) for hour in hours],
    )


def _sum(rows: Sequence[Row], day: int, column: str) -> Decimal:
    return sum((row[column] or Decimal(0) for row in rows if row["dia_semana"] == day), Decimal(0))
