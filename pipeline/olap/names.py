"""What the shop calls movements and products that the OLAP knows by numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.base.database import call, connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.settings import Settings


@dataclass(frozen=True)
class Names:
    """By number as text: a movement's `clave` (the shop's own id) and `documento`, each or None;
    a product's own id."""

    movimientos: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    productos: Mapping[str, str] = field(default_factory=dict)

    def movement(self, number: int | None) -> str | None:
        """Its id as the shop has it, with its document in parentheses where that is known."""
        told = self.movimientos.get(str(number), {})
        if number is None:
            return None
        own = told.get("clave") or str(number)
        return f"{own} ({told['documento']})" if told.get("documento") else own

    def product(self, number: int | None) -> str | None:
        """Its id as the shop has it."""
        return None if number is None else self.productos.get(str(number), str(number))

    def of_movement(self, number: int) -> dict[str, str | None]:
        """For machines: its `own_id` and `document`."""
        told = self.movimientos.get(str(number), {})
        return {"own_id": told.get("clave"), "document": told.get("documento")}


def read_names(
    settings: Settings, movements: Iterable[int | None], products: Iterable[int | None] = ()
) -> Names:
    """The names of those that the OLAP knows, of movements in the ledger and of those that wait."""
    asked = [sorted({n for n in numbers if n is not None}) for numbers in (movements, products)]
    if not any(asked):
        return Names()
    with connect(settings.olap, "names", read_only=True) as connection:
        return Names(**call(connection, "SELECT etl.como_se_llaman(%s, %s)", tuple(asked)))
