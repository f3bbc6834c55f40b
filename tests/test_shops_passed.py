"""A shop that is moved on without a window misses nothing that a window would have done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from local_servers import web_server
from many_shops import Shops, new_shops, stamp
from shop_server import must_succeed

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
