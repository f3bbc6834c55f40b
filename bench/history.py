"""Does a window's time follow the history? Ten daily windows on a long one, and on a short one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bench.measure import Series
from bench.shop import Olap, new_shop

if TYPE_CHECKING:
    from bench.place import Place

SHORT = 100_000
WINDOW = 10_000
DAYS = 10


def measure(place: Place, rows: int) -> list[Series]:
    """The first load of `rows` movements, ten windows on it; and ten on a short history.

    Both have the same products and the same days. A third one has a tenth of the rows over ten
    years, since the summaries grow with days and months.
    """
    found: list[Series] = []
    histories = ((rows, 1), (min(SHORT, rows // 10), 1), (rows // 10, 10))
    for number, (history, years) in enumerate(histories):
        told = f"{history:,}" + (f" of {years} years" if years > 1 else "")
        shop = new_shop(place, f"bench_history_{number}")
        shop.sell(history, 365 * years - DAYS, shop.end - timedelta(days=DAYS))
        olap = Olap(place, shop, f"bench_olap_history_{number}")
        olap.reset()
        run, steps = olap.run()
        first = Series(f"first load of {told}", history)
        first.add(run.seconds, client_mb=run.client_mb, server_mb=run.server_mb, **steps)
        first.notes["ledger_mb"] = [olap.ledger_mb()]
        window = Series(f"10,000 onto {told}: load and refresh", WINDOW)
        read = Series(f"10,000 onto {told}: read", history)
        for day in range(DAYS):
            shop.sell(WINDOW, 1, shop.end - timedelta(days=DAYS - 1 - day))
            place.settle()
            run, steps = olap.run()
            window.add(
                steps["LoadOLAP"] + steps["RefreshViews"],
                load=steps["LoadOLAP"],
                refresh=steps["RefreshViews"],
                whole=run.seconds,
                server_mb=run.server_mb,
            )
            read.add(
                steps["ExtractWindow"],
                ms_per_million=steps["ExtractWindow"] * 1e9 / shop.last,
            )
        found += [first, window, read]
    return found
