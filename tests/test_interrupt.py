"""Ctrl-C ends at once what waits in PostgreSQL, in one line, and leaves nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fault_process import wait_for, waiting_backend
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop

RUN = [str(LUIGI), "--module", "pipeline", "RunDue", "--local-scheduler"]
ROUND = [str(LUIGI), "--module", "pipeline", "RunShops", "--local-scheduler"]
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("program", "locked", "said"),
    [
        ([sys.executable, "-m", "pipeline", "status"], "etl.control", "nothing half done is kept"),
        ([sys.executable, "-m", "pipeline", "verify"], "productos", "nothing half done is kept"),
        (RUN, "productos", "is done again next time"),
        (RUN, "etl.etapa", "is done again next time"),
        # Of the two sides, that of another thread, and the first's own.
        (ROUND, "productos", "is done again next time"),
        (ROUND, "etl.control", "is done again next time"),
    ],
    ids=["status", "verify", "extract", "load", "shop", "control"],
)
def test_ctrl_c_ends_what_waits(shop: Shop, program: list[str], locked: str, said: str):
    shop.env |= {"ETL_INITIAL_SINCE": BEGINNING.isoformat(), "ETL_LOCK_TIMEOUT": "3000"}
    shop.product(1)
    shop.receipt(BEGINNING + timedelta(days=1), (1, 10, 5))
    shop.run()
    shop.sale(BEGINNING + timedelta(days=2), (1, 2, 9))
    env = dict(shop.env)
    if program is ROUND:
        place = shop.folder / "shops"
        place.mkdir()
        own = {name: value for name, value in env.items() if name.startswith(("OLTP_", "OLAP_"))}
        (place / "a.env").write_text("".join(f"{n}={v}\n" for n, v in own.items()))
        env |= {"ETL_SHOPS_DIR": str(place), "ETL_STATE_DIR": str(shop.folder / "states")}
    server, database = (
        (shop.olap_server, shop.olap_name) if "." in locked else (shop.server, shop.oltp_name)
    )
    with server.connect(database) as other:
        other.autocommit = False
        other.cursor().execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
        with subprocess.Popen(
            program,
            cwd=shop.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # What a shell starts in the background ignores it, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            try:
                wait_for("a session that waits", lambda: waiting_backend(shop.olap, database))
                process.send_signal(signal.SIGINT)
                # The lock alone would hold it for longer by far.
                output, _ = process.communicate(timeout=60)
            finally:
                process.kill()
        other.rollback()
    assert process.returncode in (130, -signal.SIGINT)
    assert output.splitlines()[-1].endswith(said)
    assert "Traceback" not in output
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)
