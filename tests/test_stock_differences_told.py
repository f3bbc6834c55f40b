"""What is told where the shop's own stock is not ours: by commands, notice, metric and report."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, running_browser
from levels_shop import (
    BY_BRANCH,
    CHEESE,
    DAY,
    END,
    INITIAL,
    MILK,
    SCREWS,
    WHOLE,
    levels,
    run,
    set_levels,
    stock,
)
from local_servers import web_server
from shop_database import Shop
from test_closings_told import sample
from test_report import report, rows_of

from pipeline.translation.stored import worded

pytestmark = pytest.mark.one_postgres

AGREED = [(MILK, None, 6), (SCREWS, None, 3)]
OFF = [(MILK, None, 4), (SCREWS, None, 9), (CHEESE, None, 2)]  # by -10, +12 and what has no cost


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """A shop whose own stock is ours, once it has run."""
    stock(shop)
    levels(shop, WHOLE, *AGREED)
    run(shop, 0)
    return shop


def asked(shop: Shop, *command: str) -> dict[str, Any]:
    """What a command says to machines."""
    return dict(json.loads(shop.succeed(*command, "--json").stdout))


def test_status_lists_what_differs_the_dearest_first(stocked: Shop):
    assert re.search(r"the shop's own stock +equal\n", stocked.succeed("status").stdout)
    assert asked(stocked, "status")["diferencias_existencias"] == 0
    set_levels(stocked, OFF)
    run(stocked, 1)
    shown = stocked.succeed("status").stdout
    assert re.search(r"the shop's own stock +differs: 3 products, worth 22.00\n", shown)
    table = shown.split("stock that is not the shop's: 3 products, worth 22.00, the dearest first")
    usual, _, *rows = table[1].strip().splitlines()
    assert "types out of scope, rejects, drafts" in usual and "wait as rejects" not in usual
    assert [re.split(" {2,}", row.strip()) for row in rows[:3]] == [
        ["2", "P2", "Producto 2", "-", "3", "9", "6", "12", "2026-10-17 03:01", "-"],
        ["1", "P1", "Producto 1", "-", "6", "4", "-2", "-10", "2026-10-17 03:01", "-"],
        ["3", "P3", "Producto 3", "-", "0", "2", "2", "0", "2026-10-17 03:01", "-"],
    ]
    state = asked(stocked, "status")
    assert (state["diferencias_existencias"], state["stock_differences_value"]) == (3, 22)
    assert [row["id_producto"] for row in state["stock_differences"]] == [SCREWS, MILK, CHEESE]


def test_what_waits_of_those_products_is_named_apart(stocked: Shop):
    stocked.sale(INITIAL + 3 * DAY, (MILK, 1, -9))
    stocked.sale(INITIAL + 3 * DAY, (CHEESE, 1, -9))
    set_levels(stocked, [(MILK, None, 5), (SCREWS, None, 3)])
    run(stocked, 1)
    said = "1 movements of these products wait as rejects: `python -m pipeline rejects`."
    assert said in stocked.succeed("status").stdout
    state = asked(stocked, "status")
    assert state["stock_differences_waiting"] == 1
    assert [row["en_espera"] for row in state["stock_differences"]] == [1]


def test_by_branch_the_branch_is_named_and_a_product_counts_once(shop: Shop):
    stock(shop)
    levels(shop, BY_BRANCH, (MILK, 1, 3), (MILK, 0, 1), (SCREWS, None, 3))
    run(shop, 0)
    state = asked(shop, "status")
    assert state["diferencias_existencias"] == 1
    assert [row["sucursal"] for row in state["stock_differences"]] == [
        "Sin sucursal",
        "Sucursal 1",
    ]
    assert "Sucursal 1" in shop.succeed("status").stdout


def test_verify_tells_the_number_and_is_clean_all_the_same(stocked: Shop):
    set_levels(stocked, OFF)
    run(stocked, 1)
    shown = stocked.succeed("verify").stdout
    assert re.search(r"the shop's own stock +differs: 3 products, worth 22.00\n", shown)
    found = asked(stocked, "verify")
    assert (found["clean"], found["diferencias_existencias"]) == (True, 3)


def test_a_shop_that_does_not_tell_its_stock_is_told_nothing_of_it(shop: Shop):
    stock(shop)
    run(shop, 0)
    for command in ("status", "verify"):
        assert "the shop's own stock" not in shop.succeed(command).stdout
        found = asked(shop, command)
        assert (found["diferencias_existencias"], found["stock_compared"]) == (0, False)


def test_a_plan_tells_what_would_newly_differ(stocked: Shop):
    assert asked(stocked, "plan")["new_stock_differences"] == 0
    assert "the shop's own" not in stocked.succeed("plan").stdout
    set_levels(stocked, OFF)
    assert asked(stocked, "plan")["new_stock_differences"] == 3
    said = "products whose stock would newly not be the shop's own: 3"
    assert said in stocked.succeed("plan").stdout
    run(stocked, 1)
    assert asked(stocked, "plan")["new_stock_differences"] == 0


def test_doctor_init_and_plan_look_at_the_fourth_query(stocked: Shop):
    def found() -> list[str]:
        told = json.loads(stocked.command("doctor", "--json").stdout)["findings"]
        return [f"{f['state']}: {f['found']}" for f in told if f["what"] == "OLTP existencias.sql"]

    def planned() -> str:
        done = stocked.command("plan")
        assert done.returncode == 1
        (line,) = done.stdout.splitlines()
        return line

    assert found() == ["ok: yields the stock in 2 rows"]
    set_levels(stocked, [])
    assert found() == ["warning: yields no row: nothing is compared with our stock"]
    set_levels(stocked, AGREED)
    stocked.till("REVOKE SELECT ON niveles FROM etl_lector")
    (said,) = found()
    assert said.startswith("error: ") and "niveles" in said
    assert "niveles" in planned()
    stocked.succeed("init")
    assert found() == ["ok: yields the stock in 2 rows"]
    assert stocked.command("plan").returncode == 0
    query = stocked.folder / "consultas/existencias.sql"
    query.write_text("SELECT id_producto FROM niveles", encoding="utf-8")
    (said,) = found()
    assert said.startswith("error: ") and "existencias" in said
    assert "existencias" in planned()


def test_the_log_and_a_notice_tell_of_new_ones_once(stocked: Shop):
    with web_server() as web:
        stocked.env |= {"ETL_NOTIFY_URLS": web.channel}
        run(stocked, 1)
        assert web.told == []
        set_levels(stocked, OFF)
        done = stocked.run()
        said = "of 3 products the stock is newly not the shop's own; in all 3 products, worth 22.00"
        assert said in done.stdout
        ((title, body),) = web.told
        assert stocked.olap_name in title
        assert "Of 3 products the stock here is newly not" in body
        assert "In all: 3 products, worth 22.00.\nThe dearest: Producto 2: 3 here, 9 in" in body
        assert "types out of scope" in body and "dw.v_diferencias_existencias" in body
        assert "newly" not in stocked.run().stdout
        assert len(web.told) == 1


def test_the_metric_counts_products(stocked: Shop):
    file = stocked.folder / "etl.prom"
    stocked.env["ETL_METRICS_FILE"] = str(file)

    def metric(minutes: int) -> float:
        run(stocked, minutes)
        label = re.search(r'etl_stock_differences\{olap="(.*?)"\}', file.read_text())
        assert label
        return sample(file, "etl_stock_differences", {"olap": label[1]})

    assert metric(1) == 0
    set_levels(stocked, OFF)
    assert metric(2) == 3
    set_levels(stocked, AGREED)
    assert metric(3) == 0


def test_what_was_booked_is_told_with_its_worth_and_its_windows(stocked: Shop):
    assert "adjustments" not in stocked.succeed("status").stdout
    assert asked(stocked, "status")["adjustments_value"] == 0
    stocked.env["ETL_STOCK_DIFFERENCES"] = "adjust"
    ends = []
    for minutes, screws in ((1, 9), (2, 7)):
        set_levels(stocked, [(MILK, None, 4), (SCREWS, None, screws)])
        ends.append(booking(stocked, minutes))
    said = "3 booked, in no OLTP, of 2 products, worth -2.00 in all; by windows up to {} and since"
    first, last = (f"{end:%Y-%m-%d %H:%M}" for end in ends)
    for command in ("status", "verify"):
        # -2 of 5, and 6 and then -2 of 2.
        assert said.format(first) + f", the last up to {last}" in stocked.succeed(command).stdout
        found = asked(stocked, command)
        assert (found["adjustments"], found["adjusted_products"]) == (3, 2)
        assert found["adjustments_value"] == -2
        assert found["first_adjusted"][:16] == f"{ends[0]:%Y-%m-%dT%H:%M}"
        assert found["last_adjusted"][:16] == f"{ends[1]:%Y-%m-%dT%H:%M}"
    (row,) = stocked.olap_rows("SELECT * FROM dw.mv_datos_al")
    assert (row["ajustes"], row["ajustes_productos"], row["ajustes_valor"]) == (3, 2, -2)
    assert [row["ajustes_desde"], row["ajustes_hasta"]] == ends


def booking(shop: Shop, minutes: int) -> datetime:
    """A window so long after END that books what differs; its end."""
    end = END + timedelta(minutes=minutes)
    shop.run_in_process(as_of=end, accept_adjustments=True)
    return end


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_report_says_that_the_stock_rests_on_adjustments(
    stocked: Shop, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    stocked.env["ETL_STOCK_DIFFERENCES"] = "adjust"
    set_levels(stocked, [(MILK, None, 4), (SCREWS, None, 9)])
    booking(stocked, 1)
    said = "Part of it rests on 2 adjustments of 2 products, booked between Oct 17, 2026"
    with running_browser(tmp_path_factory.mktemp("chromium")) as browser:
        browser.open(report(stocked, tmp_path, ETL_LANG="en"))
        calm = browser.evaluate("document.querySelector('.calm #differences dd').textContent")
        assert calm.startswith("The stock is the shop's own, product by product. " + said)
        assert calm.endswith("no document of its has them. They come to 2.00.")
        stocked.env["ETL_STOCK_DIFFERENCES"] = "report"
        set_levels(stocked, OFF)
        run(stocked, 2)
        browser.open(report(stocked, tmp_path, ETL_LANG="en"))
        note = browser.evaluate("document.querySelector('#differences .note').textContent")
        assert said in note
        assert browser.complaints == []


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_report_has_them(
    stocked: Shop, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    with running_browser(tmp_path_factory.mktemp("chromium")) as browser:
        browser.open(report(stocked, tmp_path, ETL_LANG="en"))
        calm = "document.querySelector('.calm #differences dd').textContent"
        assert browser.evaluate(calm).startswith("The stock is the shop's own")
        set_levels(stocked, OFF)
        run(stocked, 1)
        browser.open(report(stocked, tmp_path, ETL_LANG="en"))
        note = browser.evaluate("document.querySelector('#differences .note').textContent")
        assert note.startswith("3 products, worth 22.00. Usually due to the stock with")
        assert [row[0] for row in rows_of(browser, "differences")] == [
            "Producto 2 P2",
            "Producto 1 P1",
            "Producto 3 P3",
        ]
        assert rows_of(browser, "differences")[1][3:] == ["6", "4", "-2", "-10.00"]
        assert browser.complaints == []


def test_what_contradicts_itself_is_told_in_spanish(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ETL_LANG", "es")
    assert worded("existencias.sql yields product 1 of branch 2 3 times").endswith(
        "da el producto 1 de la sucursal 2 3 veces"
    )
    assert worded("existencias.sql yields product 1 3 times").endswith("da el producto 1 3 veces")
