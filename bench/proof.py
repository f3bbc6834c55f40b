"""The proof: of everything, and of what changed since, after a window of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measure import Series
from bench.shop import loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

PRODUCTS = 5_000
DAYS = 365


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """Verify of a year's movements with --all, and without it after one more day of them."""
    shop, olap = loaded_shop(place, "verify", rows, PRODUCTS)
    day = rows // DAYS
    whole, short = Series("verify --all", rows), Series("verify after a day", day)
    for _ in range(rounds):
        whole.add(olap.command("verify", "--all").seconds)
        shop.sell(day, 1)
        olap.run()
        short.add(olap.command("verify").seconds)
    return [whole, short]
