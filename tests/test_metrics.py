"""The metrics file: it parses, its figures are SQL's, and it fails no run."""

from __future__ import annotations

import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from shop_database import LUIGI, Shop
from shop_luigid import luigid
from shop_server import must_succeed, run_program
from test_chain import ago, stock_up

from pipeline.telling.metrics import HELP

DAY = timedelta(days=1)
RELEASED = {
    "etl_last_run_success": "1 if the last run succeeded, else 0",
    "etl_last_run_timestamp_seconds": "When the last run ended",
    "etl_last_success_timestamp_seconds": "When a run last succeeded",
    "etl_olap_up": "1 if the OLAP answered after the last run; if 0, its figures are older",
    "etl_window_end_timestamp_seconds": "The end of the last window loaded",
    "etl_lag_seconds": "How old the end of the last window was when this was written",
    "etl_window_rows": "Movements of the last window loaded, by what became of them",
    "etl_window_step_seconds": "Duration of each step of the last window loaded",
    "etl_closed_until_timestamp_seconds": "The end of what is closed; 0 if nothing is",
    "etl_corrections_since_closing": "Movements of closed periods that came late, were corrected "
    "or were taken back since the last closing",
    "etl_rejects_waiting": "Movements that cannot be valued yet",
    "etl_provisional_movements": "Sales that still wait for the receipt of what they sold; "
    "of the 1,000 products furthest below zero, and 100 movements each at most",
    "etl_stock_differences": "Products whose stock is not the shop's own; "
    "0 without existencias.sql, too",
    "etl_products_below_zero": "Products whose stock is below zero",
    "etl_stock_value": "Value of the stock above zero, at average cost",
}


def metrics_file(shop: Shop) -> Path:
    """Where the shop's metrics go."""
    path = shop.folder / "etl.prom"
    shop.env["ETL_METRICS_FILE"] = str(path)
    return path


def figures(path: Path) -> dict[str, Any]:
    """Every sample by its name and second label; each must name the OLAP."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        assert family.documentation == HELP[family.name]
        for sample in family.samples:
            labels = dict(sample.labels)
            assert "/" in labels.pop("olap")
            found[" ".join([sample.name, *labels.values()])] = sample.value
    return found


def test_the_figures_are_those_of_sql(shop: Shop):
    path = metrics_file(shop)
    stock_up(shop, ago(2 * DAY))
    shop.product(2)
    shop.sale(ago(DAY), (2, 3, 9))
    shop.receipt(ago(DAY), (2, 1, None))
    before = time.time()
    shop.run()
    after = time.time()
    got = figures(path)
    (run,) = shop.olap_rows("SELECT * FROM etl.corrida")
    (stock,) = shop.olap_rows(
        "SELECT sum(valor) FILTER (WHERE existencias > 0) AS valor,"
        " count(*) FILTER (WHERE existencias < 0) AS bajo_cero FROM dw.inventario"
    )
    assert got["etl_last_run_success"] == got["etl_olap_up"] == 1
    assert before <= got["etl_last_success_timestamp_seconds"] <= after
    assert got["etl_last_run_timestamp_seconds"] == got["etl_last_success_timestamp_seconds"]
    assert got["etl_window_end_timestamp_seconds"] == run["hasta"].timestamp()
    assert got["etl_lag_seconds"] == pytest.approx(
        got["etl_last_run_timestamp_seconds"] - run["hasta"].timestamp()
    )
    for kind, column in {
        "read": "filas_leidas",
        "new": "nuevas",
        "changed": "cambiadas",
        "removed": "retiradas",
        "same": "iguales",
        "out_of_scope": "fuera_de_alcance",
        "rejected": "rechazadas",
        "revalued": "revaluadas",
        "sale": "ventas",
        "receipt": "entradas",
    }.items():
        assert got[f"etl_window_rows {kind}"] == run[column], kind
    assert (got["etl_window_rows sale"], got["etl_window_rows receipt"]) == (2, 2)
    for step, column in {
        "extract": "segundos_extraccion",
        "load": "segundos_carga",
        "views": "segundos_vistas",
    }.items():
        assert got[f"etl_window_step_seconds {step}"] == pytest.approx(float(run[column])), step
    assert got["etl_rejects_waiting"] == 1
    assert got["etl_stock_value"] == pytest.approx(float(stock["valor"]))
    assert got["etl_products_below_zero"] == stock["bajo_cero"] == 1
    assert got["etl_provisional_movements"] == 1
    assert list(path.parent.glob("etl.prom*")) == [path]


def provisional(shop: Shop) -> int:
    """What etl.metricas() counts."""
    (row,) = shop.olap_rows("SELECT etl.metricas() ->> 'provisionales' AS n")
    return int(row["n"])


def test_provisional_are_the_sales_since_the_stock_was_last_not_below_zero(shop: Shop):
    shop.product(1)
    shop.product(2)
    start = ago(5 * DAY)
    hour = timedelta(hours=1)
    shop.sale(start, (1, 5, 9))
    shop.receipt(start + hour, (1, 6, 1))
    shop.run_in_process()
    # Its sale was provisional, and is settled.
    assert shop.olap_rows("SELECT FROM dw.kardex WHERE provisional")
    assert provisional(shop) == 0
    shop.sale(start + 2 * hour, (1, 2, 9))
    shop.receipt(start + 3 * hour, (1, "0.5", 1))
    shop.sale(start + 4 * hour, (1, 2, 9))
    shop.sale(start + 5 * hour, (2, 2, 9))
    shop.run_in_process()
    assert provisional(shop) == 3
    for _ in range(150):
        shop.sale(start + 6 * hour, (2, 1, 9))
    shop.run_in_process()
    assert provisional(shop) == 2 + 100
    shop.receipt(start + 7 * hour, (1, 10, 1), (2, 500, 1))
    shop.run_in_process()
    assert provisional(shop) == 0


@pytest.mark.one_postgres
def test_a_failure_is_in_the_file_and_the_last_success_stays(shop: Shop):
    path = metrics_file(shop)
    stock_up(shop, ago(2 * DAY))
    shop.run()
    success = figures(path)
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    assert shop.run_due().returncode == 30
    failed = figures(path)
    assert failed["etl_last_run_success"] == 0
    assert failed["etl_olap_up"] == 1
    assert failed["etl_lag_seconds"] > success["etl_lag_seconds"]
    changing = {"etl_last_run_success", "etl_last_run_timestamp_seconds", "etl_lag_seconds"}
    assert {k for k in success if success[k] != failed[k]} == changing
    # The OLAP is there, and does not answer: what it said last stays.
    shop.olap.cursor().execute("ALTER FUNCTION etl.metricas() RENAME TO otra")
    done = shop.run_due()
    assert "metrics: OLAP: metrics: function etl.metricas() does not exist" in done.stdout
    silent = figures(path)
    assert silent["etl_olap_up"] == 0
    assert {k for k in success if success[k] != silent[k]} == changing | {"etl_olap_up"}


@pytest.mark.one_postgres
def test_a_first_run_that_finds_no_olap_is_a_failure_in_the_file(shop: Shop):
    path = metrics_file(shop)
    assert shop.run_due(OLAP_DB_NAME="no_hay").returncode == 35
    assert figures(path).keys() == {
        "etl_last_run_success",
        "etl_last_run_timestamp_seconds",
        "etl_olap_up",
    }


@pytest.mark.one_postgres
def test_a_setting_that_keeps_a_run_from_beginning_is_a_failure_in_the_file(shop: Shop):
    path = metrics_file(shop)
    shop.run()
    success = figures(path)
    assert shop.run_due(ETL_KEEP_DAYS="x").returncode == 35
    failed = figures(path)
    assert failed["etl_last_run_success"] == failed["etl_olap_up"] == 0
    assert failed.keys() == success.keys()
    assert failed["etl_stock_value"] == success["etl_stock_value"]


@pytest.mark.one_postgres
def test_another_shops_file_is_not_taken_for_ours(shop: Shop):
    path = metrics_file(shop)
    path.write_text('# TYPE etl_rejects_waiting gauge\netl_rejects_waiting{olap="x"} 7\n')
    shop.run()
    assert figures(path)["etl_rejects_waiting"] == 0
    path.write_text("no metrics at all {")
    shop.run()
    assert figures(path)["etl_last_run_success"] == 1


@pytest.mark.one_postgres
def test_workers_write_it_too(shop: Shop):
    path = metrics_file(shop)
    shop.run("--workers", "2")
    assert figures(path)["etl_last_run_success"] == 1


@pytest.mark.one_postgres
def test_what_cannot_be_written_is_logged_and_fails_nothing(shop: Shop, tmp_path: Path):
    missing = tmp_path / "no such folder" / "etl.prom"
    done = shop.run(ETL_METRICS_FILE=str(missing))
    assert f"ETL_METRICS_FILE {missing} cannot be written: No such file" in done.stdout
    (tmp_path / "prometheus_client.py").write_text("raise ImportError(name='prometheus_client')")
    done = shop.run(ETL_METRICS_FILE=str(tmp_path / "etl.prom"), PYTHONPATH=str(tmp_path))
    said = "no metrics: ETL_METRICS_FILE needs prometheus_client; pip install '.[metrics]'"
    assert said in done.stdout


@pytest.mark.one_postgres
def test_luigid_has_figures_of_its_own(shop: Shop):
    with luigid(shop.folder, shop.env, "metrics_collector = prometheus\n") as port:
        shop.product(1)
        program = [str(LUIGI), "--module", "pipeline", "RunDue", "--scheduler-port", str(port)]
        must_succeed(run_program(program, shop.folder, shop.env))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            families = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
    done = {sample.labels["family"]: sample.value for sample in families["luigi_task_done"].samples}
    assert done["WriteMarker"] == done["RunDue"] == 1


def test_what_was_released_stays_as_it_is():
    """node_exporter drops a metric of which two files, of two releases perhaps, say otherwise."""
    assert HELP.items() >= RELEASED.items()
