"""What a page is made of: cards, sections, charts and tables, as the template takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.figures import Row

# Longer names would push the figures off the page; the table has the code beside.
_LONGEST_NAME = 80
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Card:
    """One figure at the top of the page; `target` is the section that explains it."""

    label: str
    figure: str
    note: str
    target: str


@dataclass(frozen=True)
class Product:
    """A cell of a table that names a product."""

    name: str
    code: str


@dataclass(frozen=True)
class Table:
    """Columns and cells, already written for the eye. The first `words` columns are no numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Product]]
    words: int = 1


@dataclass(frozen=True)
class Bar:
    """A row of a ranking: how long its bar is, and the part of it that remains, in per cent."""

    name: str
    end: str
    whole: float
    part: float


@dataclass(frozen=True)
class Grid:
    """A table whose cells are shaded by their share of the largest, 0 to 1."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]


@dataclass(frozen=True)
class Section:
    """One question and its answer.

    `chart` is an SVG, `bars` are a ranking with the names of its two measures in `legend`, `grids`
    stand one below the other, of which the first is open: after any of them the table is folded;
    without them it stands open, but for what goes beyond its first rows.
    `note` says what is shown; `empty` stands in the place of all where the table has no row.
    """

    id: str
    title: str
    note: str
    table: Table
    empty: str
    chart: str = ""
    bars: Sequence[Bar] = ()
    legend: tuple[str, str] = ("", "")
    grids: Sequence[Grid] = ()


def product_of(row: Row) -> Product:
    """The product that a row is about: its name, else its code, else its id."""
    code = row["codigo"] or str(row["id_producto"])
    name = row["nombre"] or code
    return Product(shortened(name), "" if name == code else shortened(code))


def shortened(text: str, longest: int = _LONGEST_NAME) -> str:
    """A text that fits a line or two, without what no XML may hold: the charts are XML."""
    text = _NOT_XML.sub(" ", text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
