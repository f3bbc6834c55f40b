"""Many small shops in one round of RunShops, against a process of RunDue for each."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.measure import Run, Series, run_process
from bench.shop import LUIGI, Olap, Shop, loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

ROWS, PRODUCTS = 1_000, 50  # of each shop, before
NEW = 50  # movements of each in a round that has news
# Processes one after the other take no less of each other's time: of more shops it is reckoned.
ALONE = 50


def measure(place: Place, count: int, rounds: int) -> list[Series]:
    """So many shops with nothing new, then with movements each; seconds, CPU and memory."""
    shops = list(_open(place, count))
    environment = _environment(place, shops)
    _round(environment)
    ways: dict[str, tuple[list[tuple[Shop, Olap]], Callable[[], Run]]] = {
        "processes": (shops[:ALONE], lambda: _one_by_one(shops[:ALONE])),
        "RunShops": (shops, lambda: _round(environment)),
        "RunShops --workers 2": (shops, lambda: _round(environment, "--workers", "2")),
    }
    found = {
        (how, what): Series(f"{count} shops, {how}: {what}", count)
        for how in ways
        for what in ("nothing new", f"{NEW} new")
    }
    for _number in range(rounds):
        for (how, what), series in found.items():
            carried, run = ways[how]
            _sell(carried, 0 if what == "nothing new" else 1)
            _add(series, run, count / len(carried))
    return list(found.values())


def _open(place: Place, count: int) -> Iterator[tuple[Shop, Olap]]:
    """Copies of one shop, each two databases of its own."""
    first, olap = loaded_shop(place, "many", ROWS, PRODUCTS)
    for number in range(count):
        shop = Shop(place, f"bench_many_{number}", PRODUCTS, first.end, first.last)
        place.oltp.create(shop.oltp, first.oltp)
        copy = Olap(place, shop, f"bench_olap_many_{number}")
        place.olap.create(copy.name, olap.name)
        yield shop, copy
    place.settle()


def _environment(place: Place, shops: list[tuple[Shop, Olap]]) -> dict[str, str]:
    """A file for each shop; their states are where the processes have them, too."""
    folder = place.folder / "shops"
    folder.mkdir()
    environment: dict[str, str] = {}
    for number, (shop, olap) in enumerate(shops):
        environment = place.environment(shop.oltp, olap.name, olap.state)
        own = {k: v for k, v in environment.items() if k.startswith(("OLTP_", "OLAP_", "ETL_"))}
        text = "".join(f"{name}={value}\n" for name, value in own.items())
        (folder / f"s{number}.env").write_text(text)
    kept = {k: v for k, v in environment.items() if not k.startswith(("OLTP_", "OLAP_"))}
    state = {"ETL_STATE_DIR": str(place.folder / "rounds"), "ETL_SHOPS_DIR": str(folder)}
    return kept | state


def _sell(shops: list[tuple[Shop, Olap]], news: int) -> None:
    for shop, _olap in shops if news else []:
        shop.sell(NEW, 1)


def _round(environment: dict[str, str], *options: str) -> Run:
    as_of = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    task = ["RunShops", "--local-scheduler", "--as-of", as_of]
    return run_process([str(LUIGI), "--module", "pipeline", *task, *options], environment, None)


def _one_by_one(shops: list[tuple[Shop, Olap]]) -> Run:
    runs = []
    for shop, olap in shops:
        environment = shop.place.environment(shop.oltp, olap.name, olap.state)
        task = ["RunDue", "--local-scheduler"]
        runs.append(run_process([str(LUIGI), "--module", "pipeline", *task], environment, None))
    return max(runs, key=lambda run: run.client_mb or 0)


def _add(series: Series, run: Callable[[], Run], times: float) -> None:
    # A window ends on a whole second: the next would wait for the clock.
    time.sleep(1)
    before, started = _client_cpu(), time.monotonic()
    done = run()
    seconds = (time.monotonic() - started) * times
    milliseconds = (_client_cpu() - before) * 1000 * times / series.per
    series.add(seconds, client_mb=done.client_mb, client_cpu_ms_a_shop=milliseconds)


def _client_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
