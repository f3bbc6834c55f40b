"""The table of types of MOVEMENTS.md: what each one's lines need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SALE = "VENTA"
RECEIPT = "ENTRADA_MERCANCIA"
SURPLUS = "AJUSTE_ENTRADA"
LANDED_COST = "COSTO_ADICIONAL"
SHRINKAGE = "AJUSTE_SALIDA"
SUPPLIER_RETURN = "DEVOLUCION_COMPRA"
TRANSFER = "TRASLADO"
CREDIT_NOTE = "DESCUENTO_VENTA"
CUSTOMER_RETURN = "DEVOLUCION_VENTA"
COUNT = "CONTEO"

PRICE = "precio_unitario"
COST = "costo_unitario"


class Type(NamedTuple):
    """A row of the table.

    `amount` is the column that its lines are looked at for (None: they look at no amount),
    `needs_amount` that it may not be null. `negative_is` is the type that a line with a negative
    quantity is instead; None: such a line is rejected.
    """

    orden: int
    signo: int
    amount: str | None
    needs_amount: bool = False
    null_quantity_is_one: bool = False
    negative_is: str | None = None


ALL_TYPES: Mapping[str, Type] = {
    RECEIPT: Type(0, +1, COST, needs_amount=True, negative_is=SUPPLIER_RETURN),
    SURPLUS: Type(0, +1, COST, negative_is=SHRINKAGE),
    LANDED_COST: Type(0, +1, COST, needs_amount=True, null_quantity_is_one=True),
    SALE: Type(1, -1, PRICE, needs_amount=True, negative_is=CUSTOMER_RETURN),
    SHRINKAGE: Type(1, -1, None, negative_is=SURPLUS),
    SUPPLIER_RETURN: Type(1, -1, COST),
    TRANSFER: Type(1, 0, None),
    CREDIT_NOTE: Type(1, 0, PRICE, needs_amount=True, null_quantity_is_one=True),
    CUSTOMER_RETURN: Type(2, +1, PRICE, needs_amount=True),
    COUNT: Type(3, +1, COST),
}
# A shop that knows sales and receipts alone: all else is out of scope, a negative one rejected.
TWO_TYPES: Mapping[str, Type] = {
    tipo: ALL_TYPES[tipo]._replace(negative_is=None) for tipo in (SALE, RECEIPT)
}

# "Columns": the line's amount stands for quantity times cost or price.
WITH_IMPORTE = frozenset({RECEIPT, SALE, CUSTOMER_RETURN, CREDIT_NOTE})
WITH_ORIGIN = frozenset({LANDED_COST, SUPPLIER_RETURN, CUSTOMER_RETURN})
# The document's own cost stands in the ledger; null where it gave none.
WITH_OWN_COST = frozenset({RECEIPT, SURPLUS, LANDED_COST, SUPPLIER_RETURN, COUNT})
