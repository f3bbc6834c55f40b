"""A shop that is moved on without a window misses nothing that a window would have done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from levels_shop import WHOLE, levels
from local_servers import web_server
from many_shops import NOW, Shops, new_shops, stamp
from shop_server import must_succeed

from pipeline.state.round import Note, write_note

__all__ = ["new_shops"]

pytestmark = pytest.mark.one_postgres


def test_what_was_deleted_is_looked_for_where_nothing_is_new(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell()
    a, b = shops.of.values()
    shops.write("a", a.env, ETL_DELETED_HOURS="1")
    must_succeed(shops.round("--as-of", stamp(130)))
    for shop in (a, b):
        shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 2")
    must_succeed(shops.round("--as-of", stamp(80)))
    assert (shops.windows("a"), shops.windows("b")) == (1, 1)
    must_succeed(shops.round("--as-of", stamp(60)))
    assert (shops.windows("a"), shops.windows("b")) == (2, 1)
    assert a.olap_rows("SELECT id_movimiento FROM dw.kardex") == [{"id_movimiento": 1}]
    shops.assert_right(["a"])
    # It looked: the next hour nothing is due.
    must_succeed(shops.round("--as-of", stamp(30)))
    assert shops.windows("a") == 2


def test_what_is_booked_is_compared_in_every_round(new_shops: Callable[..., Shops]):
    """Of a level that is gone, or a setting, no version tells."""
    shops = new_shops("a")
    shops.sell()
    a = shops.of["a"]
    levels(a, WHOLE.replace(" FROM", ", xmin AS version_1 FROM"), (1, None, 7))
    told = {"ETL_OLTP_SQL_DIR": a.env["ETL_OLTP_SQL_DIR"]}
    shops.write("a", a.env, **told)
    must_succeed(shops.round("--as-of", stamp(50)))
    must_succeed(shops.round("--as-of", stamp(45)))
    assert shops.windows("a") == 1
    shops.write("a", a.env, **told, ETL_STOCK_DIFFERENCES="adjust")
    asked = shops.round("--as-of", stamp(40))
    assert asked.returncode == 30 and "--accept-adjustments" in asked.stdout
    accepted = ("--accept-adjustments", "--as-of", stamp(35))
    must_succeed(shops.round(*accepted, task="RunDue", ETL_SHOP="a"))
    assert a.olap_rows("SELECT cantidad::int AS n FROM dw.ajuste_existencias") == [{"n": -1}]
    before = shops.windows("a")
    a.till("DELETE FROM niveles")
    must_succeed(shops.round("--as-of", stamp(30)))
    assert shops.windows("a") == before + 1
    assert a.olap_rows("SELECT tienda FROM etl.diferencia_existencias") in ([], [{"tienda": None}])


def test_a_round_of_a_clock_that_was_ahead_ends_no_other(new_shops: Callable[..., Shops]):
    """What it noted is of a time to come: it is no reason to pass over each round until then."""
    shops = new_shops("a", "b")
    shops.sell()
    b = shops.of["b"]
    ahead = NOW + timedelta(days=30)
    for name in shops.of:
        write_note(shops.folder / "state", name, Note(ahead, ahead, None))
    b.run_in_process()
    b.olap.cursor().execute("UPDATE etl.control SET hasta = %s", [ahead])
    done = shops.round()
    assert done.returncode == 30, done.stdout
    assert "this machine's clock says" in done.stdout
    assert "1 of 2 shops failed: b: " in done.stdout
    assert shops.windows("a") == 1
    shops.assert_right(["a"])


def test_a_shop_that_cannot_note_what_became_of_it_has_failed(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b", "c")
    shops.sell()
    state = shops.folder / "state"
    state.mkdir()
    (state / "a").write_text("no folder")
    for workers in ("1", "2"):
        done = shops.round("--workers", workers, "--as-of", stamp(10 - int(workers)))
        assert done.returncode == 30, done.stdout
        assert "1 of 3 shops failed: a: " in done.stdout
    shops.assert_right(["b", "c"])


def test_a_shop_that_fails_after_another_for_the_same_is_told_of(new_shops: Callable[..., Shops]):
    """Their names differ by a number alone."""
    shops = new_shops("shop-1", "shop-2")
    with web_server() as web:
        for ago, broken in enumerate(shops.of):
            for name, shop in shops.of.items():
                shops.write(name, shop.env | ({"OLTP_DB_PORT": "1"} if name == broken else {}))
            for minutes in (20, 19):
                asked = ("--as-of", stamp(minutes - 5 * ago))
                assert shops.round(*asked, ETL_NOTIFY_URLS=web.channel).returncode == 30
    assert [next(n for n in shops.of if f"{n}: " in text) for _, text in web.told] == list(shops.of)


def test_a_round_of_some_says_nothing_of_the_others(new_shops: Callable[..., Shops]):
    """It goes well while one that it is not of fails: neither told as mended nor beaten for."""
    shops = new_shops("a", "b")
    with web_server() as web:
        told = {"ETL_NOTIFY_URLS": web.channel, "ETL_HEARTBEAT_URL": web.heartbeat}
        shops.write("a", shops.of["a"].env | {"OLTP_DB_PORT": "1"})
        assert shops.round("--as-of", stamp(20), **told).returncode == 30
        must_succeed(shops.round("--as-of", stamp(15), "--only", "b", **told))
        assert [asked.method for asked in web.asked] == ["POST"], web.asked
        shops.write("a", shops.of["a"].env)
        must_succeed(shops.round("--as-of", stamp(10), "--only", "a", **told))
        assert [asked.method for asked in web.asked] == ["POST", "POST", "GET"], web.asked
