"""What was typed into a system that keeps books, beside the ledger that the pipeline made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Protocol

import pytest
from olap_comparison import compare_kardex
from oracle import replay
from oracle_rows import Product, Rules
from shop_database import Shop

from demo.server import system_binaries


class Trade(Protocol):
    """Who trades: `book` has each movement of its documents, by its id, from the day `first` on."""

    first: date
    book: dict[int, dict[str, Any]]

    def day(self, number: int) -> None:
        """A day of it."""


def trade_with_windows(
    trade: Trade, shop: Shop, recipe: str, days: int, check: Callable[[], None]
) -> None:
    """`init`, then so many days with a window after every sixth, each of them looked at."""
    shop.env |= {
        "ETL_OLTP_SQL_DIR": f"receta:{recipe}",
        "ETL_INITIAL_SINCE": _begin(trade).isoformat(),
        "ETL_MAX_SILENT_DAYS": "999",
    }
    shop.succeed("init")
    for number in range(days):
        trade.day(number)
        if number % 6 == 5:
            shop.run_in_process()
            assert_ledger(trade, shop)
            check()


def assert_ledger(trade: Trade, shop: Shop) -> None:
    """Fail with the first differences unless the ledger is what the documents say."""
    products = {
        row["id_producto"]: Product(
            row["codigo"], row["nombre"], row["categoria"], row["inventariable"]
        )
        for row in shop.olap_rows("SELECT * FROM dw.producto")
    }
    rules = Rules(initial=_begin(trade), snapshot=datetime.now(UTC))
    expected = replay([_as_movement(said) for said in trade.book.values()], products, rules)
    found = compare_kardex(shop.olap, expected)
    assert not found, "\n".join(found)


def theirs(shop: Shop, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the system's own tables."""
    with shop.oltp.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def postgres() -> Path:
    """The machine's own PostgreSQL, which has what Debian's packages want of one."""
    found = system_binaries()
    return found[0] if found else pytest.skip("no PostgreSQL of the system's own")


def _begin(trade: Trade) -> datetime:
    return datetime.combine(trade.first, time(), UTC)


def _as_movement(said: dict[str, Any]) -> dict[str, Any]:
    """What a document says, as the oracle takes it."""
    nothing = dict.fromkeys(("precio_unitario", "costo_unitario", "importe", "id_origen"))
    given = {"id_sucursal": None, "precio_con_impuesto": False, "anulado": False}
    return nothing | given | said | {"fecha": datetime.combine(said["fecha"], time(), UTC)}
