"""What the bench found: a table a part, the ratios that have a target, and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.measure import Series
from pipeline.base.text_tables import print_table

_PLAIN, _PROVED = "a window: whole numbers alone", "verify --all: whole numbers alone"
# (what, dividend, divisor, whether the target is at least or at most, target); each time is
# taken per row, since row by row carries fewer.
TARGETS = (
    ("row by row (a) / first", "row by row (a)", "first", ">=", 20),
    ("row by row (b) / first", "row by row (b), with a ledger", "first", ">=", 50),
    ("dlt / first", "dlt", "first", ">=", 3),
    ("first / its floor", "first", "floor of the first", "<=", 1.5),
    ("second / its floor", "second, onto the first", "floor of the second", "<=", 1.8),
    ("every type / sales and receipts", "every type", "sales and receipts", "<=", 1.25),
    ("a window with documents", "a window: documents", _PLAIN, "<=", 1.1),
    ("a window with levels", "a window: levels", _PLAIN, "<=", 1.05),
    ("verify of ids that are text", "verify --all: ids of text", _PROVED, "<=", 1.2),
)


def print_series(part: str, series: Iterable[Series]) -> None:
    """One line a series: the median, the fastest and the slowest, rows a second, and notes."""
    print(f"\n{part}")
    rows = []
    for one in series:
        notes = ", ".join(
            f"{key.replace('_', ' ')} {one.note(key):,.1f}" for key in sorted(one.notes)
        )
        rate = round(one.per / one.median) if one.per > 1 else None
        times = (round(value, 3) for value in (one.median, min(one.seconds), max(one.seconds)))
        rows.append((one.name, *times, rate, notes))
    print_table(("", "median s", "min s", "max s", "rows/s", "medians of"), rows)


def ratios(found: dict[str, list[Series]]) -> list[tuple[str, float, str]]:
    """Each ratio of medians that was measured, with its target."""
    by_name = {one.name: one for series in found.values() for one in series}
    result = []
    for what, dividend, divisor, sign, target in TARGETS:
        if dividend in by_name and divisor in by_name:
            high, low = by_name[dividend], by_name[divisor]
            ratio = (high.median / high.per) / (low.median / low.per)
            result.append((what, round(ratio, 2), f"{sign} {target}"))
    windows = [one for one in by_name.values() if one.name.endswith("load and refresh")]
    if len(windows) > 1:
        ratio = windows[0].median / windows[1].median
        result.append(("a window on a long history / on a short one", round(ratio, 2), "<= 1.3"))
    return result


def print_ratios(found: dict[str, list[Series]]) -> None:
    """The ratios beside their targets; nothing where none was measured."""
    rows = ratios(found)
    if rows:
        print()
        print_table(("ratio of medians", "", "target"), rows)


def as_json(found: dict[str, list[Series]]) -> dict[str, Any]:
    """Every time and note, with the medians."""
    return {
        part: {
            one.name: {
                "rows": one.per,
                "seconds": one.seconds if len(one.seconds) < 100 else None,
                "median": one.median,
                "notes": {key: one.note(key) for key in one.notes},
            }
            for one in series
        }
        for part, series in found.items()
    } | {"ratios": {what: {"ratio": ratio, "target": t} for what, ratio, t in ratios(found)}}
