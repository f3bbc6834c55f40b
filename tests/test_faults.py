"""Rounds of faults under twelve tills, on an OLTP and an OLAP with servers of their own.

Each round lets one fault happen to real processes or servers while the tills type, then
demands progress (a run that completes while they go on typing) and, once they pause, that
the OLAP is the replay. What happened is told in the session's report; see conftest.py.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from fault_process import Fault, Process, run_beside_orphan, start_run
from fault_shop import assert_chain, run_quickly, stock
from fault_writers import Writers
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop, new_shop
from shop_server import ShopServer
from test_kills import ORPHANS, POINTS

ROUNDS, LONG_ROUNDS = 7, 300  # each kind once
LONGEST_RUN = 1.6  # seconds within which a run is hit at random
ATTEMPTS = 5


class Faults:
    """One shop, the faults that it is given, and what came of them."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        self.shop, self.chance = shop, chance
        self.counts: Counter[str] = Counter({"violations": 0})

    # What can happen

    def killed_at_random(self) -> None:
        """SIGKILL after any time."""
        process = start_run(self.shop)
        self._hit_after_a_while()
        self._kill(process)

    def killed_at_a_point(self) -> None:
        """SIGKILL at a named point."""
        fault = Fault(self.shop.folder, self.chance.choice(POINTS))
        process = start_run(self.shop, fault=fault)
        process.wait()
        self.counts["killed alive"] += fault.fired
        process.kill()

    def orphaned(self) -> None:
        """The parent killed at a point, its worker goes on."""
        fault = Fault(self.shop.folder, self.chance.choice(ORPHANS), "orphan")
        process = start_run(self.shop, "--workers", "2", fault=fault)
        process.wait()
        self.counts["killed alive"] += fault.fired
        run_beside_orphan(self.shop, process)

    def three_at_once(self) -> None:
        """Two on one machine, one on another, and one of them is killed."""
        other = str(self.shop.folder / "other-state")
        runs = [start_run(self.shop), start_run(self.shop)]
        runs.append(start_run(self.shop, ETL_STATE_DIR=other))
        victim = self.chance.choice(runs)
        self._hit_after_a_while()
        self._kill(victim)
        for run in runs:
            if run is not victim:
                assert run.wait() == 0, run.output

    def oltp_crashes(self) -> None:
        """The OLTP stops without a checkpoint, and comes up again."""
        self._crash(self.shop.server)

    def olap_crashes(self) -> None:
        """The OLAP does."""
        self._crash(self.shop.olap_server)

    # How

    def _crash(self, server: ShopServer) -> None:
        process = start_run(self.shop)
        self._hit_after_a_while()
        server.server.stop("immediate")
        if self.chance.random() < 0.5:
            self._kill(process)
        server.restart()
        process.wait()
        self.shop.connect()

    def _hit_after_a_while(self) -> None:
        """Any time, so that a process is hit anywhere: chance, not synchronisation."""
        Event().wait(self.chance.uniform(0.2, LONGEST_RUN))

    def _kill(self, process: Process) -> None:
        self.counts["killed alive"] += process.kill()

    # What must be true afterwards

    def progress(self) -> None:
        """A run completes while the tills type: what the fault left is no obstacle."""
        said = ""
        for _ in range(ATTEMPTS):
            run = self.shop.run_due()
            if run.returncode == 0:
                self.counts["runs completed"] += 1
                return
            said = run.stdout
        raise AssertionError(f"none of {ATTEMPTS} runs completed:\n{said}")


KINDS: tuple[Callable[[Faults], None], ...] = (
    Faults.killed_at_random,
    Faults.killed_at_a_point,
    Faults.oltp_crashes,
    Faults.olap_crashes,
    Faults.orphaned,
    Faults.three_at_once,
    Faults.killed_at_random,
)


@pytest.fixture
def shop(new_server: Callable[[], ShopServer], tmp_path: Path) -> Iterator[Shop]:
    """A shop whose OLTP and OLAP have servers of their own."""
    with new_shop(tmp_path, new_server(), new_server()) as shop:
        yield shop


@pytest.mark.longest
def test_rounds_of_faults_under_twelve_tills(
    shop: Shop, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
):
    long = request.config.getoption("--long")
    seed = random.randrange(1 << 30) if long else 20261124
    chance = random.Random(seed)
    # Twelve tills correct more of so short a history than a shop does.
    shop.env["ETL_MAX_REMOVED_SHARE"] = "1"
    initial = stock(shop)
    faults = Faults(shop, chance)
    writers = Writers(shop, seed)
    try:
        for number in range(LONG_ROUNDS if long else ROUNDS):
            kind = KINDS[number % len(KINDS)]
            with writers.working():
                kind(faults)
                faults.counts[kind.__name__] += 1
                faults.progress()
            run_quickly(shop)
            assert_olap_equals_replay(shop, initial)
            assert_chain(shop)
    except BaseException:
        faults.counts["violations"] += 1
        raise
    finally:
        writers.close()
        record_property("faults", {"seed": seed, "rows written": writers.rows, **faults.counts})
    assert faults.counts["killed alive"], "no run was hit alive: nothing was tried"
    assert writers.rows > 100
