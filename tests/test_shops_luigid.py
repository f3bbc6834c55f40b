"""Many shops under luigid: two machines share a round, and none knows what another's shop hides."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from local_servers import web_server
from many_shops import Shops, new_shops, stamp
from shop_database import LUIGI, Shop
from shop_luigid import luigid
from shop_server import must_succeed, run_program

__all__ = ["new_shops"]

pytestmark = pytest.mark.one_postgres

ALIVE = (
    "SELECT FROM pg_stat_activity"
    " WHERE application_name = 'pipeline' AND datname = current_database()"
)


def test_two_machines_share_a_round_and_both_end_well(new_shops: Callable[..., Shops]):
    """Each shop is run once by one of them, and the row is the truth for the other's next round."""
    names = [f"t{number}" for number in range(6)]
    shops = new_shops(*names)
    shops.sell()
    with luigid(shops.folder, shops.env) as port, ThreadPoolExecutor() as pool:

        def run(machine: str, as_of: str) -> object:
            program = [str(LUIGI), "--module", "pipeline", "RunShops", "--workers", "2"]
            program += ["--scheduler-port", str(port), "--as-of", as_of]
            state = {"ETL_STATE_DIR": str(shops.folder / machine)}
            return run_program(program, shops.folder, shops.env | state)

        for at in (stamp(10), stamp(5)):
            for done in list(pool.map(run, ("one", "two"), (at, at))):
                assert done.returncode == 0, done.stdout
            shops.assert_right()
            shops.sell()
        for name in names:
            assert shops.windows(name) == 2


def test_nothing_of_one_shop_is_told_by_another_nor_by_luigid(
    new_shops: Callable[..., Shops], tmp_path: Path
):
    """Passwords, channels and names of a, looked for in what b writes and in what luigid shows."""
    shops = new_shops("a", "b")
    shops.sell()
    secrets = ["clave-secreta-de-a", "canal-secreto-de-a", "ruta-secreta-de-a"]
    with web_server() as web, luigid(shops.folder, shops.env) as port:
        shops.write(
            "a",
            shops.of["a"].env | {"OLTP_ADMIN_PASSWORD": secrets[0], "OLTP_DB_PASSWORD": secrets[0]},
            ETL_NOTIFY_URLS=f"json://x:{secrets[1]}@127.0.0.1:{web.port}/{secrets[2]}",
        )
        program = [str(LUIGI), "--module", "pipeline", "RunShops", "--workers", "2"]
        program += ["--scheduler-port", str(port), "--log-level", "DEBUG"]
        done = run_program(program, shops.folder, shops.env)
        assert done.returncode == 30, done.stdout
        shops.assert_right(["b"])
        shown = [done.stdout]
        for path in (
            "/static/visualiser/index.html",
            "/api/task_list?data={}",
            "/api/graph?data={}",
        ):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                shown.append(answer.read().decode())
        listed = json.loads(shown[2])["response"]
        failed = [name for name, task in listed.items() if task["status"] == "FAILED"]
        for task in failed:
            with urllib.request.urlopen(
                f'http://127.0.0.1:{port}/api/fetch_error?data={{"task_id":"{task}"}}'
            ) as answer:
                shown.append(answer.read().decode())
        assert len(failed) == 2 and "password authentication" in shown[-1]
        assert len(web.told) == 1
    # luigid wrote its state when it ended.
    written = [path for path in shops.folder.rglob("*") if path.is_file()]
    written = [path for path in written if path != shops.place / "a.env"]
    shown += [path.read_bytes().decode(errors="replace") for path in written]
    assert any("luigid.pickle" in path.name for path in written)
    for secret in secrets:
        assert not [text for text in shown if secret in text]
    # Nor does b's state, report or control row know a's databases.
    files = [path for path in (shops.folder / "state" / "b").rglob("*") if path.is_file()]
    own = [path.read_text(errors="replace") for path in files]
    assert own and not [text for text in own if shops.of["a"].olap_name in text]


def test_a_round_of_one_shop_is_not_held_by_one_that_runs_elsewhere(
    new_shops: Callable[..., Shops],
):
    """A killed machine: its shops are carried by the next round, and nothing twice."""
    shops = new_shops("a", "b")
    shops.sell()
    with luigid(shops.folder, shops.env) as port:
        again = ["--scheduler-port", str(port)]
        must_succeed(shops.round(*again, "--as-of", stamp(10), local=False))
        shops.sell("a")
        must_succeed(shops.round(*again, "--as-of", stamp(5), "--only", "a", local=False))
        must_succeed(shops.round(*again, "--as-of", stamp(5), local=False))
    assert (shops.windows("a"), shops.windows("b")) == (2, 1)
    shops.assert_right()


def test_so_many_shops_of_a_server_run_at_once_over_all_machines(new_shops: Callable[..., Shops]):
    """While a is held none of its server's is carried, by neither machine; all others are."""
    bound, free = ("a", "b", "c"), ("w", "x", "y", "z")
    shops = new_shops(*bound, *free)
    shops.sell()
    for name in bound:
        shops.write(name, shops.of[name].env, ETL_RESOURCE="server-1")
    a = shops.of["a"]
    with (
        luigid(shops.folder, shops.env, "[resources]\nserver-1 = 1\n") as port,
        ThreadPoolExecutor() as pool,
        a.server.connect(a.olap_name) as held,
    ):
        held.cursor().execute("BEGIN; SELECT FROM etl.control FOR UPDATE")
        asked = ["--scheduler-port", str(port), "--workers", "2", "--as-of", stamp(10)]
        rounds = [
            pool.submit(shops.round, *asked, local=False, ETL_STATE_DIR=str(shops.folder / machine))
            for machine in ("one", "two")
        ]
        while not (waiting(a) and all(shops.windows(name) for name in free)):
            # The one that does not hold a may have ended before.
            assert not all(done.done() for done in rounds), [d.result().stdout for d in rounds]
            time.sleep(0.1)
        # They came before the others.
        assert [shops.windows(name) for name in bound] == [0, 0, 0]
        held.rollback()
        for done in rounds:
            must_succeed(done.result())
    assert [shops.windows(name) for name in shops.of] == [1] * len(shops.of)
    shops.assert_right()


def test_luigid_with_its_state_and_without_it(new_shops: Callable[..., Shops]):
    """What it remembers of earlier rounds, or has forgotten, changes nothing of the next."""
    shops = new_shops("a", "b")
    for number, forgets in enumerate((False, False, True)):
        shops.sell()
        if forgets:
            (shops.folder / "luigid.pickle").unlink()
        with luigid(shops.folder, shops.env) as port:
            as_of = ("--as-of", stamp(10 - number))
            must_succeed(shops.round("--scheduler-port", str(port), *as_of, local=False))
        shops.assert_right()


def test_a_shop_that_takes_too_long_is_ended_and_told_of_once(new_shops: Callable[..., Shops]):
    """Somebody holds b's control row; Luigi tells of a timeout again and again, or of none."""
    shops = new_shops("a", "b")
    shops.sell()
    configuration = shops.folder / "luigi.cfg"
    shipped = Path(shops.env["LUIGI_CONFIG_PATH"]).read_text()
    configuration.write_text(f"{shipped}\n[worker]\ntimeout = 15\n")
    told = shops.env | {"LUIGI_CONFIG_PATH": str(configuration)}
    with web_server() as web, shops.of["b"].server.connect(shops.of["b"].olap_name) as held:
        shops.write("b", shops.of["b"].env, ETL_NOTIFY_URLS=web.channel)
        held.cursor().execute("BEGIN; SELECT FROM etl.control FOR UPDATE")
        done = shops.round(ETL_NOTIFY_URLS=web.channel, **told)
        held.rollback()
        assert done.returncode == 30, done.stdout
        shops.assert_right(["a"])
        assert "1 of 2 shops failed: b: " in done.stdout and "timed out" in done.stdout
        assert len(web.told) == 2, web.told
    must_succeed(shops.round("--as-of", stamp(0), **told))
    shops.assert_right()


def test_a_shop_that_two_machines_carry_at_once_is_right(new_shops: Callable[..., Shops]):
    """One's parents are killed, and its worker goes on while luigid gives the shop to another."""
    shops = new_shops("a")
    shops.sell()
    a = shops.of["a"]
    with luigid(shops.folder, shops.env) as port, a.server.connect(a.olap_name) as held:
        held.cursor().execute("BEGIN; SELECT FROM etl.control FOR UPDATE")
        program = [str(LUIGI), "--module", "pipeline", "RunShops", "--workers", "2"]
        program += ["--scheduler-port", str(port)]
        machines = [shops.env | {"ETL_STATE_DIR": str(shops.folder / name)} for name in ("x", "y")]
        started = []
        for number, env in enumerate(machines):
            while waiting(a) <= number:
                process = subprocess.Popen(
                    [*program, "--as-of", stamp(10 - number)],
                    cwd=shops.folder,
                    env=env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                started.append(process)
                # Until luigid has forgotten the first, the second has nothing to do.
                while waiting(a) <= number and process.poll() is None:
                    time.sleep(0.2)
            if number == 0:
                for pid in [process.pid, *children(process.pid)]:
                    os.kill(pid, signal.SIGKILL)
                process.wait()
        held.rollback()
        assert started[-1].wait(120) == 0
        while a.olap_rows(ALIVE):
            time.sleep(0.2)
    shops.assert_right()
    must_succeed(shops.round("--as-of", stamp(5)))
    shops.assert_right()


def waiting(shop: Shop) -> int:
    """How many loads wait for the OLAP's row."""
    return len(shop.olap_rows(f"{ALIVE} AND wait_event_type = 'Lock'"))


def children(pid: int) -> list[int]:
    """The processes that it began, and no deeper."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
