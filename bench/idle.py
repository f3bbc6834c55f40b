"""A run with nothing new on a small OLTP, and how much of it is Python starting."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from bench.measure import Series, run_process
from bench.shop import LUIGI, loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

ROWS = 10_000


def measure(place: Place, rounds: int) -> list[Series]:
    """Many rounds, since each is short."""
    _, olap = loaded_shop(place, "small", ROWS, 200)
    nothing = Series("nothing new", 0)
    imports = Series("of it: imports", 0)
    idle = Series("luigi itself, idle", 0)
    environment = olap.environment()
    for _ in range(rounds * 3):
        # A window ends on a whole second: the next run would wait for the clock.
        time.sleep(1)
        run, steps = olap.run()
        nothing.add(run.seconds, client_mb=run.client_mb, refresh=steps["RefreshViews"])
        code = "import luigi.cmdline, pipeline"
        run = run_process([sys.executable, "-c", code], environment, None)
        imports.add(run.seconds, client_mb=run.client_mb)
        # Luigi's own task of no work: what is needed before anything of ours is loaded.
        run = run_process(
            [str(LUIGI), "--module", "luigi", "Config", "--local-scheduler", "--no-lock"],
            environment,
            None,
        )
        idle.add(run.seconds, client_mb=run.client_mb)
    return [nothing, imports, idle]
