"""What the OLTP has no more leaves with the first window after ETL_DELETED_HOURS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from local_servers import WebServer, web_server
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from test_documents import own
from test_property import try_histories
from test_property_closings import ClosingHistory

from pipeline.run import deleted
from pipeline.run.verify import verify

BEGINNING = datetime.now(UTC).replace(microsecond=0, hour=0, minute=0, second=0) - timedelta(60)
DAY = timedelta(days=1)
HISTORIES, LONG_HISTORIES = 12, 600


@pytest.fixture
def trading(shop: Shop) -> Shop:
    """A shop that has carried a receipt, four sales and a reject."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.receipt(BEGINNING + DAY, (1, 100, "2"))
    for day in range(2, 6):
        shop.sale(BEGINNING + day * DAY, (1, 1, "5"))
    shop.sale(BEGINNING + 6 * DAY, (99, 1, "5"))
    # Now, and not when the tests began: the hours count from here.
    shop.run_in_process(as_of=datetime.now(UTC).replace(microsecond=0))
    return shop


def let_pass(shop: Shop, hours: float = 24) -> None:
    """As if the last look had been so much earlier."""
    shop.olap.cursor().execute(
        "UPDATE etl.control SET borradas_buscadas = borradas_buscadas - %s * interval '1 hour'",
        (hours,),
    )


def delete(shop: Shop, *lines: int) -> None:
    """The till deletes them."""
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = ANY (%s)", list(lines))


def ledger(shop: Shop) -> list[int]:
    """The movements of the ledger."""
    return [r["id"] for r in shop.olap_rows("SELECT id_movimiento AS id FROM dw.kardex ORDER BY 1")]


def test_it_is_looked_for_after_the_hours_and_not_before(trading: Shop):
    delete(trading, 3, 6)
    trading.run_in_process()
    assert ledger(trading) == [1, 2, 3, 4, 5]
    let_pass(trading, 23.9)
    trading.run_in_process()
    assert 3 in ledger(trading)
    let_pass(trading, 0.2)
    trading.run_in_process()
    assert ledger(trading) == [1, 2, 4, 5]
    assert trading.olap_rows("SELECT FROM etl.rechazo") == []
    assert_olap_equals_replay(trading, BEGINNING)


def test_from_one_look_on_the_hours_count_anew(trading: Shop):
    let_pass(trading)
    trading.run_in_process()
    delete(trading, 4)
    trading.run_in_process()
    assert 4 in ledger(trading)


def test_a_day_that_is_some_seconds_short_is_one(trading: Shop):
    """A daily run's moments are not those of a clock."""
    delete(trading, 3)
    let_pass(trading, 24 - 50 / 3600)
    trading.run_in_process()
    assert 3 not in ledger(trading)


def test_others_of_the_same_sum_hide_nothing(trading: Shop):
    """What is before a product's opening is in the shop's blocks, and not in the ledger's."""
    trading.product(2)
    trading.olap.cursor().execute(
        "INSERT INTO dw.apertura VALUES (2, 5, 2, %s)", [BEGINNING + 20 * DAY]
    )
    lines = trading.receipt(BEGINNING + DAY, *((p, 1, "2") for p in (2, 1, 1, 2)))
    assert lines == [7, 8, 9, 10]
    trading.run_in_process()
    assert ledger(trading) == [1, 2, 3, 4, 5, 8, 9]
    delete(trading, 8, 9)
    let_pass(trading)
    trading.run_in_process()
    assert ledger(trading) == [1, 2, 3, 4, 5]


def test_with_0_it_is_never_looked_for(trading: Shop):
    trading.env["ETL_DELETED_HOURS"] = "0"
    delete(trading, 3)
    let_pass(trading, 9999)
    trading.run_in_process()
    assert 3 in ledger(trading)
    trading.env["ETL_DELETED_HOURS"] = "-1"
    refused = trading.run_due()
    assert refused.returncode == 35
    assert "ETL_DELETED_HOURS is '-1'" in refused.stdout


def test_an_olap_of_before_looks_in_its_next_window(trading: Shop):
    trading.olap.cursor().execute("UPDATE etl.control SET borradas_buscadas = NULL")
    delete(trading, 3)
    trading.run_in_process()
    assert 3 not in ledger(trading)


def test_too_much_is_held_and_let_by_once(trading: Shop):
    for _ in range(30):
        trading.sale(BEGINNING + 7 * DAY, (1, 1, "5"))
    trading.run_in_process()
    delete(trading, *range(7, 37))
    let_pass(trading)
    held = trading.run_due()
    assert held.returncode == 30
    assert "30 would be removed" in held.stdout
    before = ledger(trading)
    assert len(before) == 35
    # It is looked for again, not passed over.
    assert trading.run_due().returncode == 30
    (source,) = {w.strip(".") for w in held.stdout.split("--accept-source ")[1].split()[:1]}
    trading.run("--accept-source", source)
    assert ledger(trading) == before[:5]
    assert_olap_equals_replay(trading, BEGINNING)


def test_what_is_closed_stays_and_is_no_reason_to_look(trading: Shop, monkeypatch: Any):
    closed = (BEGINNING + 4 * DAY).date() - DAY
    trading.sale(BEGINNING + 8 * DAY, (1, 1, "5"))
    delete(trading, 6)
    let_pass(trading)
    trading.run_in_process()
    trading.succeed("close", closed.isoformat())
    delete(trading, 2)
    let_pass(trading)
    looked: list[Any] = []
    monkeypatch.setattr(deleted, "numbers_in", lambda *given: looked.append(given) or set())
    trading.run_in_process()
    assert looked == []
    monkeypatch.undo()
    assert 2 in ledger(trading)
    delete(trading, 7)
    let_pass(trading)
    trading.run_in_process()
    assert ledger(trading) == [1, 2, 3, 4, 5]
    assert "1 of closed periods" in trading.succeed("verify", "--all").stdout


def test_only_the_blocks_that_differ_are_looked_into(trading: Shop, monkeypatch: Any):
    monkeypatch.setattr(deleted, "_BLOCK", 2)
    trading.olap.cursor().execute("ANALYZE dw.kardex")
    asked: list[set[int]] = []
    numbers_in = deleted.numbers_in

    def noted(*given: Any) -> set[int]:
        asked.append(numbers_in(*given))
        return asked[-1]

    monkeypatch.setattr(deleted, "numbers_in", noted)
    let_pass(trading)
    # Of the reject's product nobody knows: it is in scope on both sides.
    trading.run_in_process()
    assert asked == []
    delete(trading, 3)
    let_pass(trading)
    trading.run_in_process()
    assert asked == [{4}]
    assert ledger(trading) == [1, 2, 4, 5]


def text_ids(shop: Shop) -> None:
    """The shop's own movimientos.sql, whose ids are no numbers."""
    own(shop, "")
    query = shop.folder / "sql" / "movimientos.sql"
    text = query.read_text(encoding="utf-8")
    text = text.replace("d.id_detalle AS id_movimiento", "'L-' || d.id_detalle AS id_movimiento")
    query.write_text(text.replace("    d.id_origen,\n", ""), encoding="utf-8")


def test_ids_that_are_text_are_asked_for_as_text(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    text_ids(shop)
    shop.product(1)
    shop.receipt(BEGINNING + DAY, (1, 100, "2"))
    for day in range(2, 6):
        shop.sale(BEGINNING + day * DAY, (1, 1, "5"))
    shop.run_in_process()
    delete(shop, 3)
    let_pass(shop)
    shop.run_in_process()
    left = shop.olap_rows(
        "SELECT d.clave FROM dw.kardex AS k JOIN dw.documento_movimiento AS d USING (id_movimiento)"
    )
    assert {row["clave"] for row in left} == {"L-1", "L-2", "L-4", "L-5"}


@pytest.mark.parametrize("text", [False, True])
def test_what_was_out_of_scope_and_is_deleted_is_not_told_any_more(shop: Shop, text: bool):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    if text:
        text_ids(shop)
    shop.product(1)
    shop.receipt(BEGINNING + DAY, (1, 100, "2"))
    shop.run_in_process()
    long_ago = datetime(1926, 1, 1, tzinfo=UTC)
    shop.sale(long_ago, (1, 1, "5"))
    line = shop.sale(long_ago, (1, 2, "5"))[0]
    shop.run_in_process()
    listed = "SELECT FROM etl.fuera_de_alcance"
    assert len(shop.olap_rows(listed)) == 2
    delete(shop, line)
    let_pass(shop)
    shop.run_in_process()
    assert len(shop.olap_rows(listed)) == 1
    assert len(shop.olap_rows("SELECT FROM dw.documento_movimiento")) == 2 * text


def test_a_reject_that_was_deleted_leaves_its_document_as_well(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    own(shop, "d.id_transaccion AS id_documento,")
    shop.product(1)
    shop.receipt(BEGINNING + DAY, (1, 100, "2"))
    line = shop.sale(BEGINNING + DAY, (99, 1, "5"))[0]
    shop.run_in_process()
    assert len(shop.olap_rows("SELECT FROM dw.documento_movimiento")) == 2
    delete(shop, line)
    let_pass(shop)
    shop.run_in_process()
    assert shop.olap_rows("SELECT FROM etl.rechazo") == []
    assert shop.olap_rows("SELECT id_movimiento AS id FROM dw.documento_movimiento") == [{"id": 1}]


# Told


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that is a channel."""
    with web_server() as server:
        yield server


@pytest.mark.one_postgres
def test_status_log_and_notice_tell_it_as_deleted(trading: Shop, web: WebServer):
    trading.env["ETL_NOTIFY_URLS"] = web.channel
    assert "none lately" in trading.succeed("status").stdout
    delete(trading, 3, 4)
    let_pass(trading)
    printed = trading.run().stdout
    assert "2 movements are deleted in the OLTP" in printed
    ((title, body),) = web.told
    assert "deleted in the shop" in title
    assert "2 movements" in body
    assert "2 movements lately" in trading.succeed("status").stdout
    state = json.loads(trading.succeed("status", "--json").stdout)
    assert state["windows"][0]["borradas"] == 2
    assert state["deleted_looked_for"] == state["last_run"]
    # The same again in the hours set is not told again.
    delete(trading, 5)
    let_pass(trading)
    trading.run()
    assert len(web.told) == 1


# Any history


class DeletingHistory(ClosingHistory):
    """One in which each settling finds by itself what was deleted and is not closed."""

    def settle(self) -> None:
        while self.it.open:
            self.it.end(0, commit=True)
        # What a run that died had read, it had read before.
        self.it.run()
        self.shop.olap.cursor().execute("UPDATE etl.control SET borradas_buscadas = NULL")
        self.it.run()
        with self.it.settings() as configured:
            findings = verify(configured, None, everything=True)
        assert findings.clean, findings
        self.it.assert_equal()


@pytest.mark.longest
@pytest.mark.parametrize("shard", range(2))
def test_any_history_finds_what_was_deleted(shop: Shop, request: pytest.FixtureRequest, shard: int):
    try_histories(
        request,
        type("ThisHistory", (DeletingHistory,), {"shop": shop}),
        70 + shard,
        HISTORIES,
        LONG_HISTORIES,
    )
