"""Closings: what one takes, and a window and its proof before and after eleven of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bench.measure import Series
from bench.shop import loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

PRODUCTS = 5_000
DAYS = 365
MONTHS, MONTH = 11, 30


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """A day's window and verify, then a closing of each 30 days of the year, then both again."""
    shop, olap = loaded_shop(place, "close", rows, PRODUCTS)
    day = rows // DAYS
    windows = [Series(f"window of a day, {what}", day) for what in ("open", "closed")]
    proofs = [Series(f"verify after it, {what}", day) for what in ("open", "closed")]
    one = Series("close a month", rows * MONTH // DAYS)
    for window, proof in zip(windows, proofs, strict=True):
        if window is windows[1]:
            for number in range(1, MONTHS + 1):
                end = shop.end - timedelta(days=DAYS - number * MONTH + 1)
                one.add(olap.command("close", end.date().isoformat(), "--anyway").seconds)
        # What was valued since is looked at once more; not what is measured here.
        olap.command("verify")
        for _ in range(rounds):
            shop.sell(day, 1)
            run, steps = olap.run()
            window.add(run.seconds, load=steps["LoadOLAP"], refresh=steps["RefreshViews"])
            proof.add(olap.command("verify").seconds)
    return [one, *windows, *proofs]
