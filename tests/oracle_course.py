"""Where the replay of a product stands, and what a line comes to there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from oracle_rows import KardexRow, Line, Product, State
from oracle_rules import round_six
from oracle_types import ALL_TYPES


@dataclass
class Course:
    """Where the replay of a product stands before a line.

    `ledger` is what may be named as an origin, `landed` what is added to the cost of a receipt,
    `receipts` those that are open; `apart` the costs that are no part of their
    receipt, `closed` the product's closed rows.
    """

    product: Product
    state: State
    branches: dict[int, Decimal]
    ledger: dict[int, KardexRow]
    landed: Mapping[int, Decimal]
    receipts: frozenset[int]
    apart: set[int]
    closed: Sequence[KardexRow]
    last: Mapping[int, int]

    def stands(self, row: KardexRow) -> bool:
        """Whether it is its movement's last booking, and none that takes back."""
        return not row.reverso and row.capa == self.last[row.id_movimiento]


class Outcome(NamedTuple):
    """The state after a line, its costo_total, and whether only the average says what it cost."""

    state: State
    costo_total: Decimal
    of_average: bool = False


def document_order(line: Line) -> tuple[datetime, int, int]:
    """The order in which all would stand if nothing were closed."""
    return line.fecha, ALL_TYPES[line.tipo].orden, line.id_movimiento


def landed_amount(line: Line) -> Decimal:
    """A = round(cantidad·costo_unitario) of a COSTO_ADICIONAL."""
    assert line.costo_unitario is not None
    return round_six(line.cantidad * line.costo_unitario)
