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
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("program", "locked", "said"),
    [
        ([sys.executable, "-m", "pipeline", "status"], "etl.control", "nothing half done is kept"),
        ([sys.executable, "-m", "pipeline", "verify"], "productos", "nothing half done is kept"),
        (RUN, "productos", "is done again next time"),
        (RUN, "etl.etapa", "is done again next time"),
    ],
    ids=["status", "verify", "extract", "load"],
)
def test_ctrl_c_ends_what_waits(shop: Shop, program: list[str], locked: str, said: str):
    shop.env |= {"ETL_INITIAL_SINCE": BEGINNING.isoformat(), "ETL_LOCK_TIMEOUT": "3000"}
    shop.product(1)
    shop.receipt(BEGINNING + timedelta(days=1), (1, 10, 5))
    shop.run()
    shop.sale(BEGINNING + timedelta(days=2), (1, 2, 9))
    server, database = (
        (shop.olap_server, shop.olap_name) if "." in locked else (shop.server, shop.oltp_name)
    )
    with server.connect(database) as other:
        other.autocommit = False
        other.cursor().execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
        with subprocess.Popen(
            program,
            cwd=shop.folder,
            env=shop.env,
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
