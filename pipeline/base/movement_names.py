"""What each type of movement is called, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.translation import mark as N_

NAMES = {
    "ENTRADA_MERCANCIA": N_("Goods receipt"),
    "AJUSTE_ENTRADA": N_("Surplus"),
    "COSTO_ADICIONAL": N_("Landed cost"),
    "VENTA": N_("Sale"),
    "AJUSTE_SALIDA": N_("Shrinkage"),
    "DEVOLUCION_COMPRA": N_("Return to the supplier"),
    "TRASLADO": N_("Transfer"),
    "DESCUENTO_VENTA": N_("Credit note"),
    "DEVOLUCION_VENTA": N_("Customer return"),
    "CONTEO": N_("Count"),
}


def name_of(tipo: str, translate: Callable[[str], str], given: str | None = None) -> str:
    """A type's name; of one that a shop added, that which it was given, else the type itself."""
    name = NAMES.get(tipo)
    return translate(name) if name else given or tipo
