"""What is typed in at the shop: documents and their lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

SALE, RECEIPT, FREIGHT = "VENTA", "ENTRADA_MERCANCIA", "COSTO_ADICIONAL"
CUSTOMER_RETURN, SUPPLIER_RETURN = "DEVOLUCION_VENTA", "DEVOLUCION_COMPRA"
CREDIT_NOTE, TRANSFER, COUNT = "DESCUENTO_VENTA", "TRASLADO", "CONTEO"
SHRINKAGE, SURPLUS = "AJUSTE_SALIDA", "AJUSTE_ENTRADA"


@dataclass(frozen=True)
class Line:
    """One movement of a document: what is sold has a price, what is bought a cost.

    `number` is its id once it is typed in, `origin` that of the line it gives back or adds cost
    to. An added cost and a credit note have no quantity.
    """

    product: int
    quantity: Decimal | None
    price: Decimal | None = None
    cost: Decimal | None = None
    origin: int | None = None
    number: int = 0


@dataclass(frozen=True)
class Document:
    """A ticket, a goods receipt, a count, …; `moment` is its business time.

    `destination` is the branch that a transfer goes to.
    """

    kind: str
    moment: datetime
    branch: int | None
    lines: tuple[Line, ...]
    voided: bool = False
    destination: int | None = None
