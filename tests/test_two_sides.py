"""A shop's two sides asked at once: each says its own fault, whichever answers first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from fault_shop import loaded
from psycopg2 import sql
from shop_database import Shop

from pipeline.base.database import connect
from pipeline.errors import DatabaseError
from pipeline.run import news
from pipeline.settings import load_settings

pytestmark = pytest.mark.one_postgres


@contextmanager
def in_order(first: str) -> Iterator[None]:
    """The sessions of both sides begin in this order, and both end."""
    begun = threading.Event()
    sessions = []

    @contextmanager
    def one_after_another(database: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        if database.side != first:
            assert begun.wait(60)
        with connect(database, *arguments, **options) as connection:
            sessions.append(connection)
            begun.set()
            yield connection

    with mock.patch.object(news, "connect", one_after_another):
        yield
    assert [session.closed for session in sessions] == [1, 1]


def asked(shop: Shop, first: str, fails: str = "") -> bool:
    """Whether the shop is passed on; with `fails`, what it says instead."""
    (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
    with shop.environment(), in_order(first):
        settings = load_settings()
        until = control["hasta"] + timedelta(seconds=1)
        if not fails:
            return news.passed_on(settings, until)
        with pytest.raises(DatabaseError, match=fails):
            news.passed_on(settings, until)
    return False


FAULTS = {
    "table": ("OLTP", "ALTER TABLE productos RENAME TO otros"),
    "function": ("OLAP", "DROP FUNCTION etl.leer_control() CASCADE"),
    "write": ("OLAP", "DROP FUNCTION etl.pasar_ventana(uuid, timestamptz, jsonb)"),
}


@pytest.mark.parametrize("first", ["OLTP", "OLAP"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_of_its_own_side(shop: Shop, fault: str, first: str):
    loaded(shop)
    side, breaks = FAULTS[fault]
    {"OLTP": shop.oltp, "OLAP": shop.olap}[side].cursor().execute(breaks)
    asked(shop, first, f"^{side}: (news|control): ")


@pytest.mark.parametrize("first", ["OLTP", "OLAP"])
def test_a_fault_of_the_last_question_is_the_shops(shop: Shop, first: str):
    loaded(shop)
    with mock.patch.object(news, "changed_since", lambda *_: sql.SQL("SELECT 1 WHERE 1 / 0 = 1")):
        asked(shop, first, "^OLTP: news: ")


@pytest.mark.parametrize(("dead", "told"), [("OLAP", "OLAP"), ("OLTP", "OLTP"), ("both", "OLAP")])
def test_a_side_that_is_gone_is_told_of(shop: Shop, dead: str, told: str):
    loaded(shop)
    (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
    for side in ("OLTP", "OLAP"):
        if dead in (side, "both"):
            shop.env[f"{side}_DB_PORT"] = "1"
    with shop.environment(), pytest.raises(DatabaseError, match=f"^cannot connect to {told} "):
        news.passed_on(load_settings(), control["hasta"] + timedelta(seconds=1))


@pytest.mark.parametrize("first", ["OLTP", "OLAP"])
def test_a_shop_with_nothing_new_leaves_no_session(shop: Shop, first: str):
    loaded(shop)
    assert asked(shop, first)
