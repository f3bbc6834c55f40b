"""Many shops: one file of settings each, one task of the scheduler each, and none knows another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from local_servers import web_server
from many_shops import NOW, Shops, new_shops, stamp
from shop_server import must_succeed

__all__ = ["new_shops"]


def test_each_shop_is_carried_from_its_own_to_its_own(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell()
    shops.of["b"].sale(NOW - timedelta(minutes=30), (1, 3, 8))
    done = must_succeed(shops.round())
    shops.assert_right()
    for name, shop in shops.of.items():
        assert shop.olap_rows("SELECT tienda FROM etl.control") == [{"tienda": name}]
        assert [path.name for path in (shops.folder / "state" / name).glob("*--*")]
    assert "a: 20" in done.stdout and "b: 20" in done.stdout


def test_shops_that_fail_stop_no_other_and_are_told_of_once(new_shops: Callable[..., Shops]):
    """The first in order among them: a wrong password, a server that is gone, a file of no name."""
    shops = new_shops("a", "b", "c")
    shops.sell()
    shops.write("a", shops.of["a"].env | {"OLTP_DB_PASSWORD": "otra"})
    shops.write("D", shops.of["c"].env)
    with web_server() as web:
        shops.write("c", shops.of["c"].env | {"OLTP_DB_PORT": "1"}, ETL_NOTIFY_URLS=web.channel)
        rounds = [shops.round(ETL_NOTIFY_URLS=web.channel) for _ in range(2)]
    assert [done.returncode for done in rounds] == [30, 30]
    shops.assert_right(["b"])
    assert shops.windows("a") == shops.windows("c") == 0
    everyone = [text for title, text in web.told if "3 shops failed" in title]
    assert len(everyone) == 1 and len(web.told) == 2, web.told
    assert all(f"{name}: " in everyone[0] for name in ("a", "c", "D.env"))
    # One time-out: it was asked once.
    assert rounds[0].stdout.count("trying again") == 0


def test_a_shop_with_nothing_new_is_moved_on_without_a_window(new_shops: Callable[..., Shops]):
    shops = new_shops("a", "b")
    shops.sell()
    must_succeed(shops.round("--as-of", stamp(10)))
    shops.of["b"].sale(NOW, (1, 1, 9))
    must_succeed(shops.round("--as-of", stamp(5)))
    assert (shops.windows("a"), shops.windows("b")) == (1, 2)
    assert len(list((shops.folder / "state" / "a").glob("*--*"))) == 1
    for shop in shops.of.values():
        (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
        assert f"{control['hasta']:%Y-%m-%dT%H:%M:%SZ}" == stamp(5)
        assert shop.olap_rows("SELECT datos_al = hasta AS s FROM dw.mv_datos_al, etl.control")
    shops.assert_right()
    # What is new after it was passed over is not missed: late, backdated, corrected.
    a = shops.of["a"]
    a.product(2)
    a.receipt(NOW - timedelta(days=3), (2, 4, 7))
    must_succeed(shops.round("--as-of", stamp(3)))
    assert shops.windows("a") == 2
    a.till("UPDATE productos SET nombre = 'otro' WHERE id_producto = 1")
    must_succeed(shops.round("--as-of", stamp(2)))
    assert shops.windows("a") == 3
    must_succeed(shops.command("--shop", "a", "verify", "--all"))
    shops.assert_right()


def test_what_waits_for_a_load_has_a_window(new_shops: Callable[..., Shops]):
    """Rejects, an edited price policy, a new day; what failed before it began has none."""
    shops = new_shops("a", "b", "c", "d")
    shops.sell()
    a, b, c, d = shops.of.values()
    line = a.receipt(NOW, (1, 3, None))[0]
    must_succeed(shops.round("--as-of", stamp(30)))
    assert a.olap_rows("SELECT id_movimiento FROM etl.rechazo") == [{"id_movimiento": line}]
    b.olap.cursor().execute("UPDATE dw.politica_precio SET margen = 0.5")
    c.olap.cursor().execute("UPDATE etl.control SET hasta = hasta - interval '1 day'")
    shops.write("d", d.env | {"OLTP_DB_PASSWORD": "otra"})
    assert shops.round("--only", "d", "--as-of", stamp(20)).returncode == 30
    shops.write("d", d.env)
    must_succeed(shops.round("--as-of", stamp(10)))
    assert [shops.windows(name) for name in shops.of] == [2, 2, 2, 1]
    must_succeed(shops.command("--shop", "d", "rebuild"))
    assert shops.windows("d") == 2
    # The sums of c were of another day than its row said.
    shops.assert_right(["a", "b", "d"])
