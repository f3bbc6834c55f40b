"""Many shops and processes: nothing is used across a fork, whatever starts a worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from many_shops import Shops, new_shops
from shop_database import Shop

from pipeline.base.database import call, commit_each, connect, sessions_lent
from pipeline.errors import DatabaseError
from pipeline.settings import load_settings

__all__ = ["new_shops"]


def in_child(action: Callable[[], object]) -> str:
    """What `action` returns or raises in a fork, in words."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = repr(action())
        except Exception as failure:
            said = type(failure).__name__
        os.write(tell, said.encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told) as stream:
        return stream.read()


def test_what_was_opened_leads_nowhere_in_a_fork(shop: Shop):
    with shop.environment(), ExitStack() as stack:
        connection = stack.enter_context(connect(load_settings().olap, "test"))
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        (asked,) = (in_child(lambda: call(connection, "SELECT 2")),)
        assert asked in ("OperationalError", "InterfaceError", "DatabaseError")
        assert in_child(lambda: cursor.execute("SELECT 3")) != "None"
        # The parent's is as it was, and a child's own is its own.
        assert call(connection, "SELECT 4") == 4

        def fresh() -> object:
            with connect(load_settings().olap, "test") as own:
                return call(own, "SELECT 5")

        assert in_child(fresh) == "5"
        assert call(connection, "SELECT 6") == 6


def session(*, read_only: bool = False, of: str = "olap") -> int:
    """The server's process that answers whoever connects now."""
    with connect(getattr(load_settings(), of), "test", read_only=read_only) as connection:
        return int(call(connection, "SELECT pg_backend_pid()"))


def test_a_session_is_lent_as_it_was_when_it_was_new(shop: Shop):
    """Of one database: without a transaction, a mode or a failure of who had it before."""
    with shop.environment(), sessions_lent():
        olap = load_settings().olap
        first = session(read_only=True)
        with connect(olap, "test") as connection:
            assert call(connection, "SELECT pg_backend_pid()") == first
            call(connection, "CREATE TEMP TABLE escrita AS SELECT 1; SELECT 1")
        with connect(olap, "test", read_only=True) as connection:
            assert call(connection, "SELECT to_regclass('pg_temp.escrita')") is None
            assert call(connection, "SHOW transaction_read_only") == "on"
            connection.rollback()
            commit_each(connection)
            call(connection, "SELECT 1")
        with connect(olap, "test") as connection:
            assert call(connection, "SHOW transaction_read_only") == "off"
            connection.rollback()
            assert call(connection, "SELECT pg_backend_pid()") == first
            # Two at once are two.
            assert session() != first
        assert session(of="oltp") != first
        with pytest.raises(DatabaseError), connect(olap, "test") as connection:
            failed = connection.info.backend_pid
            call(connection, "SELECT 1 / 0")
        assert session() != failed


def test_a_session_that_the_server_ended_is_not_lent(shop: Shop):
    with shop.environment(), sessions_lent():
        first = session()
        shop.olap_rows("SELECT pg_terminate_backend(%s, 10000)", first)
        assert session() != first


def test_no_session_is_lent_after_the_run_or_in_a_fork(shop: Shop):
    with shop.environment():
        with sessions_lent():
            first = session()
            with sessions_lent():
                assert session() == first
            assert in_child(session) not in (repr(first), "OperationalError")
            assert session() == first
        assert session() != session()
        assert not shop.olap_rows("SELECT pid FROM pg_stat_activity WHERE pid = %s", first)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_three_workers_are_right_however_they_start(
    new_shops: Callable[..., Shops], method: str, tmp_path: Path
):
    """Six shops, of which one fails: each step's lines are told under its shop's name."""
    names = [f"t{number}" for number in range(6)]
    shops = new_shops(*names)
    shops.sell()
    shops.write("t0", shops.of["t0"].env | {"OLTP_DB_PASSWORD": "otra"})
    start = tmp_path / "start.py"
    start.write_text(
        "import multiprocessing, sys\n"
        "from luigi.cmdline import luigi_run\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method('{method}')\n"
        "    luigi_run(sys.argv[1:])\n"
    )
    done = shops.round("--workers", "3", program=(sys.executable, str(start)))
    assert done.returncode == 30, done.stdout
    shops.assert_right(names[1:])
    for name in names[1:]:
        assert f"{name}: 20" in done.stdout, done.stdout
