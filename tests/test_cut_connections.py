"""Connections that a network cuts at any byte, and servers that are down."""

from __future__ import annotations

import pytest
from fault_failures import SCHEDULING_ERROR, TASK_FAILED, check, fails, many_sales
from fault_process import start_run
from fault_proxy import Cut, Proxy, after_bytes, answer_to
from fault_shop import settle
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

# What is said of a line that is cut is the driver's and ours, whatever the server's version.
pytestmark = pytest.mark.one_postgres

# Where the connection is cut: in which direction, and after how many bytes of it.
CUTS: dict[str, tuple[str, Cut]] = {
    **{f"OLTP-down-{n}": ("OLTP", after_bytes("down", n)) for n in (100, 3_000, 20_000, 60_000)},
    **{f"OLTP-up-{n}": ("OLTP", after_bytes("up", n)) for n in (1, 2_000)},
    **{f"OLAP-up-{n}": ("OLAP", after_bytes("up", n)) for n in (100, 1_500, 20_000, 60_000)},
    **{f"OLAP-down-{n}": ("OLAP", after_bytes("down", n)) for n in (1, 600)},
    "OLTP-flush": ("OLTP", answer_to(b"pg_logical_emit_message")),
    "OLAP-load": ("OLAP", answer_to(b"etl.cargar_ventana")),
    "OLAP-commit": ("OLAP", answer_to(b"COMMIT")),
    "OLAP-refresh": ("OLAP", answer_to(b"etl.refrescar_vista(")),
    "OLAP-noted": ("OLAP", answer_to(b"etl.anotar_vistas")),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_connection_is_tried_again(shop: Shop, cut: str):
    initial = many_sales(shop)
    side, when = CUTS[cut]
    with Proxy(shop.server.server.port, when) as proxy:
        done = shop.run(**{f"{side}_DB_PORT": str(proxy.port)})
        assert proxy.done == 1, done.stdout
    check(done.stdout, "trying again")
    assert_olap_equals_replay(shop, initial)
    assert len(shop.olap_rows("SELECT FROM etl.corrida")) == 1


@pytest.mark.parametrize("side, direction", [("OLTP", "down"), ("OLAP", "up")])
def test_a_line_that_is_always_cut_is_a_clear_line(shop: Shop, side: str, direction: str):
    initial = many_sales(shop)
    with Proxy(shop.server.server.port, after_bytes(direction, 30_000), cuts=99) as proxy:
        said = fails(
            shop, f"{side}: ", "closed the connection", **{f"{side}_DB_PORT": str(proxy.port)}
        )
        assert proxy.done == 4, said
    settle(shop, initial)


@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
def test_a_server_that_is_down_is_a_clear_line(shop: Shop, side: str):
    with Proxy(1, after_bytes("up", 1)) as proxy:
        port = str(proxy.port)
    process = start_run(shop, **{f"{side}_DB_PORT": port})
    assert process.wait() == (TASK_FAILED if side == "OLTP" else SCHEDULING_ERROR), process.output
    check(process.output, f"cannot connect to {side}", f"{side}_DB_PORT", "trying again")
