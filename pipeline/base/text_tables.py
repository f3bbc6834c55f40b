"""Aligned tables for a terminal, with colour where it has some."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Literal, TextIO

Colour = Literal["bold", "green", "yellow", "red"]
_INDENT = "    "  # of what goes on below
_CODES: dict[Colour, int] = {"bold": 1, "green": 32, "yellow": 33, "red": 31}


def paint(text: str, colour: Colour | None, stream: TextIO | None = None) -> str:
    """The text in a colour where `stream` (default stdout) is a terminal that shows any.

    NO_COLOR, if it is not empty, forbids it (no-color.org).
    """
    terminal = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    if colour is None or not terminal or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def on_a_line(text: str) -> str:
    """A text as a line can show it: what the shop typed breaks no row, and commands no terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def terminal_width() -> int:
    """The columns of the terminal, or COLUMNS; 80 where there is neither, as in cron's mail."""
    return max(shutil.get_terminal_size((80, 24)).columns, 40)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text; paths, windows and numbers are kept whole, to be copied."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return lines or [""]


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print a name and its value a line, the values below each other."""
    pairs = list(facts)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        first, *others = wrapped(on_a_line(str(value)), terminal_width() - width - 2)
        print(f"{name.ljust(width)}  {first}")
        for other in others:
            print(f"{' ' * width}  {other}")


def cell_text(value: Any) -> str:
    """A value as print_table() writes it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, Decimal):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return on_a_line(str(value))


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    colours: Sequence[Colour | None] | None = None,
) -> None:
    """Print rows under headers; columns whose values are all numbers are aligned right.

    A float (seconds) has three decimals, a Decimal those that say something. Where the terminal
    is narrower than a row, the columns that do not fit go on below, indented.

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
    parts = _parts(widths, terminal_width())

    def show(texts: Sequence[str], colour: Colour | None) -> None:
        for number, part in enumerate(parts):
            indent = _INDENT if number else ""
            for line in _lines([(texts[c], widths[c], numeric[c]) for c in part], len(indent)):
                print(paint(f"{indent}{line}", colour))

    show(headers, "bold")
    for number, row in enumerate(cells):
        show(row, colours[number] if colours else None)


def _parts(widths: Sequence[int], room: int) -> list[list[int]]:
    """The columns that go on one line each, where a line has so much `room`."""
    parts: list[list[int]] = [[]]
    used = 0
    for column, width in enumerate(widths):
        if parts[-1] and used + width > room:
            parts.append([])
            used = len(_INDENT)
        parts[-1].append(column)
        used += width + 2
    return parts


def _lines(cells: Sequence[tuple[str, int, bool]], indent: int) -> Iterator[str]:
    """The lines that cells (text, width, whether to the right) take beside each other."""
    room = terminal_width() - indent
    broken = [wrapped(text, room) if width > room else [text] for text, width, _right in cells]
    for texts in zip_longest(*broken, fillvalue=""):
        aligned = (
            text.rjust(width) if right else text.ljust(width)
            for text, (_text, width, right) in zip(texts, cells, strict=True)
        )
        yield "  ".join(aligned).rstrip()
