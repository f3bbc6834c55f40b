"""What the shop calls movements and products that the OLAP knows by numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.base.database import call, connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.settings import Settings


def called(row: Mapping[str, Any]) -> str:
    """A movement as the shop has it, with its document in parentheses where that is known.

    By a row's `clave` (the shop's own id), `documento` (each may be missing) and `id_movimiento`.
    """
    own = row.get("clave") or str(row["id_movimiento"])
    return f"{own} ({row['documento']})" if row.get("documento") else own


@dataclass(frozen=True)
class Names:
    """By number as text: a movement's `clave` (the shop's own id) and `documento`, each or None;
    a product's own id."""

    movimientos: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    productos: Mapping[str, str] = field(default_factory=dict)

    def movement(self, number: int | None) -> str | None:
        """As called() has it."""
        if number is None:
            return None
        return called({**self.movimientos.get(str(number), {}), "id_movimiento": number})

    def product(self, number: int | None) -> str | None:
        """Its id as the shop has it."""
        return None if number is None else self.productos.get(str(number), str(number))

    def of_movement(self, number: int) -> dict[str, str | None]:
        """For machines: its `own_id` and `document`."""
        told = self.movimientos.get(str(number), {})
        return {"own_id": told.get("clave"), "document": told.get("documento")}


def own_ids(settings: Settings, query: str, numbers: Iterable[int]) -> list[str]:
    """Of these numbers of "productos" or "movimientos", the own ids that the shop has for them."""
    if query == "productos":
        return list(read_names(settings, (), numbers).productos.values())
    told = read_names(settings, numbers).movimientos.values()
    return [own for own in (names["clave"] for names in told) if own is not None]


def read_names(
    settings: Settings, movements: Iterable[int | None], products: Iterable[int | None] = ()
) -> Names:
    """The names of those that the OLAP knows, of movements in the ledger and of those that wait."""
    asked = [sorted({n for n in numbers if n is not None}) for numbers in (movements, products)]
    if not any(asked):
        return Names()
    with connect(settings.olap, "names", read_only=True) as connection:
        return Names(**call(connection, "SELECT etl.como_se_llaman(%s, %s)", tuple(asked)))
