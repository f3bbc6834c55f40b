"""Aligned tables for a terminal, with colour where it has some."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal, TextIO

Colour = Literal["bold", "green", "yellow", "red"]
_CODES: dict[Colour, int] = {"bold": 1, "green": 32, "yellow": 33, "red": 31}


def paint(text: str, colour: Colour | None, stream: TextIO | None = None) -> str:
    """The text in a colour where `stream` (default stdout) is a terminal that shows any.

    NO_COLOR, if it is not empty, forbids it (no-color.org).
    """
    terminal = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    if colour is None or not terminal or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print a name and its value a line, the values below each other."""
    pairs = list(facts)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        print(f"{name.ljust(width)}  {value}")


def cell_text(value: Any) -> str:
    """A value as print_table() writes it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, Decimal):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return str(value)


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    colours: Sequence[Colour | None] | None = None,
) -> None:
    """Print rows under headers; columns whose values are all numbers are aligned right.

    A float (seconds) has three decimals, a Decimal those that say something.

    `colours` has one for each row.
    """
    values = [list(row) for row in rows]
    cells = [[cell_text(value) for value in row] for row in values]
    widths = [
        max(len(header), *(len(row[column]) for row in cells)) if cells else len(header)
        for column, header in enumerate(headers)
    ]
    numeric = [
        all(isinstance(row[column], int | float | Decimal | None) for row in values)
        for column in range(len(headers))
    ]

    def line(texts: Sequence[str]) -> str:
        aligned = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        )
        return "  ".join(aligned).rstrip()

    print(paint(line(headers), "bold"))
    for number, row in enumerate(cells):
        print(paint(line(row), colours[number] if colours else None))
