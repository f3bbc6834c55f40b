"""What the shop says of a book's lines for SUNAT, and what of it is missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from pipeline.kardex.formats import code_of, lines_in_format
from pipeline.kardex.ledger import Ledger, Product
from pipeline.kardex.lines import Line
from pipeline.translation import translated as _

NO_DOCUMENT = "00"  # table 10: others
_EXISTENCE_TYPES = {f"{n:02d}" for n in (*range(1, 11), *range(91, 100))}  # table 5
_NEEDS_DOCUMENT = {"01", "02", "03", "04", "05", "06"}  # table 12
_FORBIDDEN = re.compile(r"[|/\\\s]+")
_LONGEST_CODE, _LONGEST_NAME = 24, 80
_AT_ONCE = 500


class Document(NamedTuple):
    """What proves a movement: its type (table 10), series and number; None where there is none."""

    tipo: str | None
    serie: str | None
    numero: str | None


class Existence(NamedTuple):
    """Of a product: its type (table 5) and unit (table 6); None where nobody gave it."""

    tipo: str | None
    unidad: str | None


# By id, of the products and of the movements that are asked for: those that the shop has.
LookUp = Callable[
    [Collection[int], Collection[int]], tuple[Mapping[int, Existence], Mapping[int, Document]]
]


class Row(NamedTuple):
    """A line of a ledger, None for its opening balance, with what the shop says of it.

    What the shop has no more, since it archives, it says nothing of: None.
    """

    ledger: Ledger
    line: Line | None
    existence: Existence | None
    document: Document | None


def described(product: Product) -> str:
    """A product's name as the PLE takes it."""
    return _FORBIDDEN.sub(" ", product.nombre or "").strip()[:_LONGEST_NAME].strip()


def looked_up(ledgers: Iterable[Ledger], look_up: LookUp) -> Iterator[Row]:
    """The rows of the ledgers, so many at a time, with what the shop says of them."""
    rows = ((ledger, line) for ledger in ledgers for line in chain([None], lines_in_format(ledger)))
    while batch := list(islice(rows, _AT_ONCE)):
        existences, documents = look_up(
            {ledger.product.id_producto for ledger, _line in batch},
            {line.movement.id_movimiento for _ledger, line in batch if line},
        )
        for ledger, line in batch:
            document = documents.get(line.movement.id_movimiento) if line else None
            yield Row(ledger, line, existences.get(ledger.product.id_producto), document)


class Faults:
    """Tells of each product, once its last line came, what the files would lack."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._ledger: Ledger | None = None
        self._by_code: dict[str, int] = {}
        self._found: list[str] = []
        self._lines: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self.products = 0

    def of_product(self, row: Row) -> None:
        """The beginning of a product's lines."""
        self.end()
        self._ledger = row.ledger
        code = code_of(row.ledger.product).strip()
        if row.existence is None:
            self._found.append(
                _("no tipo_existencia and unidad_medida, since the OLTP has the product no more")
            )
        else:
            kind, unit = row.existence
            if kind not in _EXISTENCE_TYPES:
                self._found.append(_wrong("tipo_existencia", kind))
            if not re.fullmatch(r"[A-Z0-9]{1,3}", unit or ""):
                self._found.append(_wrong("unidad_medida", unit))
        if len(code) > _LONGEST_CODE or _FORBIDDEN.search(code):
            self._found.append(_wrong("codigo", code))
        # Of all before it, not of the last one alone: the id of one may be the code of another.
        other = self._by_code.setdefault(code, row.ledger.product.id_producto)
        if other != row.ledger.product.id_producto:
            self._found.append(
                _("the code {code!r} is that of product {product}, too").format(
                    code=code, product=other
                )
            )
        if not described(row.ledger.product):
            self._found.append(_wrong("nombre", None))

    def of_line(self, row: Row) -> None:
        """A movement, or the half of one."""
        assert row.line
        needed = row.line.operacion in _NEEDS_DOCUMENT
        if row.document is None:
            if needed:
                self._of_line(
                    row.line,
                    _(
                        "no tipo_documento, serie and numero, since the OLTP has the movement "
                        "no more,"
                    ),
                )
            return
        tipo, serie, numero = row.document
        wrong = []
        known = re.fullmatch("[0-9]{2}", tipo or "") and not (needed and tipo == NO_DOCUMENT)
        if (tipo or needed) and not known:
            wrong.append(_wrong("tipo_documento", tipo))
        for name, text in (("serie", serie), ("numero", numero)):
            if (text or needed) and not re.fullmatch(r"[A-Za-z0-9(),.-]{1,20}", text or ""):
                wrong.append(_wrong(name, text))
        for fault in wrong:
            self._of_line(row.line, fault)

    def _of_line(self, line: Line, fault: str) -> None:
        self._lines[fault] += 1
        self._first.setdefault(fault, line.movement.id_movimiento)

    def end(self) -> None:
        """The end of a product's lines."""
        for fault, count in self._lines.items():
            self._found.append(
                _("{fault} in {count:,} lines, first in movement {movement}").format(
                    fault=fault, count=count, movement=self._first[fault]
                )
            )
        if self._found and self._ledger:
            product = self._ledger.product
            self.products += 1
            self._tell(
                _("product {product} ({code}): {faults}").format(
                    product=product.id_producto,
                    code=code_of(product),
                    faults="; ".join(self._found),
                )
            )
        self._found, self._lines, self._first = [], Counter(), {}


def _wrong(column: str, text: str | None) -> str:
    if text is None or not text.strip():
        return _("no {column}").format(column=column)
    return _("{column} is {text!r}").format(column=column, text=text)
