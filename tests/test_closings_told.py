"""What is told of closings: dw.v_correcciones, and all who show it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, running_browser
from local_servers import web_server
from prometheus_client.parser import text_string_to_metric_families
from shop_database import Shop
from shop_server import BI_USER
from test_report import report, rows_of

pytestmark = pytest.mark.one_postgres

DAY = timedelta(days=1)
END = datetime(2026, 10, 17, tzinfo=UTC)
INITIAL = END - 60 * DAY
CLOSED = INITIAL + 30 * DAY  # the first open instant
MILK, SCREWS = 1, 2
SALE = 3  # its id


@pytest.fixture
def closed(shop: Shop) -> Shop:
    """Ten of milk and of screws bought at 5 and 2, some of them sold at 11.80, and closed.

    18 % of a price is tax.
    """
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    for product in (MILK, SCREWS):
        shop.product(product, "Todo")
    shop.receipt(INITIAL + DAY, (MILK, 10, 5), (SCREWS, 10, 2))
    shop.sale(INITIAL + 2 * DAY, (MILK, 4, "11.80"))
    shop.sale(INITIAL + 40 * DAY, (MILK, 1, "11.80"))
    with shop.olap.cursor() as cursor:
        cursor.execute("INSERT INTO dw.politica_precio (categoria, impuesto) VALUES ('Todo', 0.18)")
    shop.run_in_process(as_of=END)
    close(shop, CLOSED)
    return shop


def close(shop: Shop, end: datetime) -> None:
    """Close all before `end`."""
    shop.succeed("close", (end - DAY).date().isoformat())


def corrections(shop: Shop, hours: int = 1) -> list[dict[str, Any]]:
    """What is told after one more run."""
    shop.run_in_process(as_of=END + timedelta(hours=hours))
    return shop.olap_rows(
        "SELECT * FROM dw.v_correcciones ORDER BY asentado, id_movimiento, id_producto"
    )


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    """Where it is booked, of which document and product, and what happened to it."""
    names = ("asentado", "id_movimiento", "que", "cambio", "id_producto")
    return tuple(row[name] for name in names)


def was_and_is(row: dict[str, Any]) -> tuple[Any, ...]:
    """Its product, date, quantity and amount, each as it was and as it is."""
    names = ("id_producto", "fecha", "cantidad", "importe")
    return tuple((row[f"{name}_antes"], row[f"{name}_ahora"]) for name in names)


def effects(row: dict[str, Any]) -> tuple[Decimal, ...]:
    """On stock, value, net sales, cost of sales and margin."""
    names = ("existencias", "valor", "venta_neta", "costo", "margen")
    return tuple(row[f"efecto_{name}"] for name in names)


def test_what_came_late_is_a_line_without_a_before(closed: Shop):
    (late,) = closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
    (row,) = corrections(closed)
    assert told(row) == (CLOSED, late, "llegó tarde", None, MILK)
    was = was_and_is(row)
    assert was == ((None, MILK), (None, INITIAL + 3 * DAY), (None, 2), (None, Decimal("23.60")))
    assert effects(row) == (-2, -10, 20, 10, 10)


def test_a_receipt_that_came_late_lifts_the_margin_of_what_was_sold_before_it(closed: Shop):
    closed.sale(INITIAL + 3 * DAY, (MILK, 10, "11.80"))
    (late,) = closed.receipt(INITIAL + 4 * DAY, (MILK, 10, 4))
    rows = corrections(closed)
    # 6 at 5 are there, 10 are sold at 5, and the 4 that lacked came in at 4.
    assert effects(rows[0]) == (-10, -50, 100, 50, 50)
    assert told(rows[1]) == (CLOSED, late, "llegó tarde", None, MILK)
    assert effects(rows[1]) == (10, 44, 0, 0, 4)


def test_another_quantity_or_price_is_one_line_of_the_difference(closed: Shop):
    closed.correct_line(SALE, cantidad=6)
    (row,) = corrections(closed)
    assert told(row) == (CLOSED, SALE, "corregido", "cantidad", MILK)
    assert was_and_is(row)[2:] == ((4, 6), (Decimal("47.20"), Decimal("70.80")))
    assert effects(row) == (-2, -10, 20, 10, 10)
    closed.correct_line(SALE, cantidad=4, precio_unitario="23.60")
    (row,) = corrections(closed, 2)
    assert told(row) == (CLOSED, SALE, "corregido", "importe", MILK)
    assert effects(row) == (0, 0, 40, 0, 40)


def test_what_is_again_as_it_was_closed_is_no_correction(closed: Shop):
    closed.correct_line(SALE, cantidad=6)
    assert len(corrections(closed)) == 1
    closed.correct_line(SALE, cantidad=4)
    assert corrections(closed, 2) == []


def test_another_product_is_a_line_for_each(closed: Shop):
    closed.correct_line(SALE, id_producto=SCREWS)
    milk, screws = corrections(closed)
    for row in (milk, screws):
        assert told(row)[:4] == (CLOSED, SALE, "corregido", "producto")
        assert was_and_is(row)[0] == (MILK, SCREWS)
    assert (milk["id_producto"], screws["id_producto"]) == (MILK, SCREWS)
    assert effects(milk) == (4, 20, -40, -20, -20)
    assert effects(screws) == (-4, -8, 40, 8, 32)


def test_another_date_in_what_is_open_is_a_line_for_each_date(closed: Shop):
    moved = INITIAL + 41 * DAY
    closed.correct_document(SALE, fecha=moved)
    left, came = corrections(closed)
    assert told(left) == (CLOSED, SALE, "corregido", "fecha", MILK)
    assert told(came) == (moved, SALE, "corregido", "fecha", MILK)
    assert was_and_is(left)[1] == was_and_is(came)[1] == (INITIAL + 2 * DAY, moved)
    assert effects(left) == (4, 20, -40, -20, -20)
    assert effects(came) == (-4, -20, 40, 20, 20)


@pytest.mark.parametrize(
    "header, columns",
    [({"anulada": True}, {}), ({"tipo": "PROFORMA"}, {}), ({}, {"cantidad": 0})],
)
def test_what_is_void_or_out_of_scope_or_rejected_is_taken_back_with_the_tax_of_its_month(
    closed: Shop, header: dict[str, Any], columns: dict[str, Any]
):
    with closed.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.36")
    if header:
        closed.correct_document(SALE, **header)
    else:
        closed.correct_line(SALE, **columns)
    (row,) = corrections(closed)
    assert told(row) == (CLOSED, SALE, "retirado", None, MILK)
    assert was_and_is(row) == (
        *((MILK, None), (INITIAL + 2 * DAY, None), (4, None)),
        (Decimal("47.20"), None),
    )
    assert effects(row) == (4, 20, -40, -20, -20)


def test_each_closing_has_its_own_corrections(closed: Shop):
    later = INITIAL + 45 * DAY
    closed.correct_line(SALE, cantidad=6)
    first = corrections(closed)
    close(closed, later)
    closed.correct_line(SALE, cantidad=5)
    again, second = corrections(closed, 2)
    assert [again] == first
    assert told(second) == (later, SALE, "corregido", "cantidad", MILK)
    assert was_and_is(second)[2] == (6, 5)
    assert effects(second) == (1, 5, -10, -5, -5)


def test_what_comes_back_after_a_further_closing_came_late(closed: Shop):
    later = INITIAL + 45 * DAY
    closed.correct_document(SALE, anulada=True)
    first = corrections(closed)
    close(closed, later)
    closed.correct_document(SALE, anulada=False)
    again, second = corrections(closed, 2)
    assert [again] == first
    assert told(second) == (later, SALE, "llegó tarde", None, MILK)
    assert effects(second) == (-4, -20, 40, 20, 20)


def test_the_dashboards_account_reads_them(closed: Shop):
    with closed.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dw.politica_precio (categoria, impuesto, desde) VALUES ('Todo', 0.36, %s)",
            (INITIAL.date(),),
        )
    closed.correct_line(SALE, id_producto=SCREWS)
    rows = corrections(closed)
    # The closed row has the tax that it was netted by; what is booked now, that of its day.
    assert [row["efecto_venta_neta"] for row in rows] == [-40, Decimal("34.705882")]
    connection = closed.server.connect(closed.olap_name, BI_USER)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT efecto_venta_neta FROM dw.v_correcciones ORDER BY id_producto")
        assert [value for (value,) in cursor] == [-40, Decimal("34.705882")]
    finally:
        connection.close()


def test_status_shows_the_last_closing_and_what_was_booked_since(closed: Shop):
    shown = " ".join(closed.succeed("status").stdout.split())
    (row,) = closed.olap_rows("SELECT * FROM dw.cierre")
    assert f"2026-09-16, value 50.00, huella {row['huella'][:12]}…" in shown
    assert "booked late since nothing" in shown
    closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
    closed.correct_line(SALE, id_producto=SCREWS)
    closed.receipt(INITIAL + 4 * DAY, (SCREWS, 1, 2))
    corrections(closed)
    booked = "2 late, 1 corrected, 0 taken back; value +4.00, margin +22.00"
    assert booked in closed.succeed("status").stdout
    state = json.loads(closed.succeed("status", "--json").stdout)
    assert state["last_closing"]["dia"] == "2026-09-16"
    assert state["last_closing"]["huella"] == row["huella"]
    assert state["corrections"] == {
        **{"late": 2, "corrected": 1, "taken_back": 0},
        **{"value": 4, "net_sales": 20, "cost": -2, "margin": 22},
    }


def test_a_shop_that_closes_nothing_is_told_nothing_of_it(shop: Shop):
    shop.product(MILK)
    shop.receipt(END - DAY, (MILK, 1, 5))
    shop.run_in_process()
    assert "closed" not in shop.succeed("status").stdout
    assert json.loads(shop.succeed("status", "--json").stdout)["last_closing"] is None


def test_a_plan_tells_corrections_apart_and_comes_true(closed: Shop):
    none = json.loads(closed.succeed("plan", "--json").stdout)["corrections"]
    assert not any(none.values())
    assert "of what is closed" not in closed.succeed("plan").stdout
    closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
    closed.correct_document(SALE, anulada=True)
    said = "of what is closed, would be booked at its end: 1 late, 0 corrected, 1 taken back; "
    assert said + "value +10.00, margin -10.00" in closed.succeed("plan").stdout
    plan = json.loads(closed.succeed("plan", "--json").stdout)["corrections"]
    corrections(closed)
    assert json.loads(closed.succeed("status", "--json").stdout)["corrections"] == plan


def test_the_metrics_have_the_last_closing_and_its_corrections(closed: Shop):
    file = closed.folder / "etl.prom"
    closed.env["ETL_METRICS_FILE"] = str(file)
    closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
    corrections(closed)
    label = next(iter(text_string_to_metric_families(file.read_text()))).samples[0].labels
    assert sample(file, "etl_closed_until_timestamp_seconds", label) == CLOSED.timestamp()
    assert sample(file, "etl_corrections_since_closing", label) == 1
    closed.succeed("close", "--reopen", "2026-09-16", "--reason", "a test")
    closed.run_in_process(as_of=END + timedelta(hours=2))
    assert sample(file, "etl_closed_until_timestamp_seconds", label) == 0
    assert sample(file, "etl_corrections_since_closing", label) == 0


def sample(file: Path, name: str, labels: dict[str, str]) -> float:
    """A figure of the file."""
    for family in text_string_to_metric_families(file.read_text()):
        for found in family.samples:
            if found.name == name and found.labels == labels:
                return float(found.value)
    raise AssertionError(f"no {name}")


def test_a_run_that_books_corrections_tells_of_them_once_in_the_hours_set(closed: Shop):
    with web_server() as web:
        closed.env |= {"ETL_LANG": "es", "ETL_NOTIFY_URLS": web.channel}
        closed.sale(INITIAL + 50 * DAY, (MILK, 1, "11.80"))
        corrections(closed)
        assert web.told == []
        closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
        corrections(closed, 2)
        ((title, body),) = web.told
        assert closed.olap_name in title
        booked = "1 tarde, 0 corregidos, 0 retirados; valor -10.00, margen +10.00"
        assert f"hasta el 2026-09-16: {booked}." in body
        assert "dw.v_correcciones" in body and "python -m pipeline status" in body
        closed.sale(INITIAL + 4 * DAY, (MILK, 1, "11.80"))
        corrections(closed, 3)
        assert len(web.told) == 1
        # In what is told the next time nothing lacks that was not told.
        (closed.folder / "state" / "last-failure.json").unlink()
        closed.correct_document(SALE, anulada=True)
        corrections(closed, 4)
        body = web.told[1][1]
        assert "hasta el 2026-09-16: 0 tarde, 0 corregidos, 1 retirados; " in body
        assert "en total: 2 tarde, 0 corregidos, 1 retirados; valor +5.00, margen -5.00" in body


def test_what_waits_is_listed_and_wants_anyway(closed: Shop):
    (unknown,) = closed.receipt(INITIAL + 35 * DAY, (99, 1, 5))
    for _ in range(2):
        closed.sale(INITIAL + 36 * DAY, (SCREWS, 8, 3))
    # What is in stock again within the period waits for nothing any more.
    closed.sale(INITIAL + 36 * DAY, (MILK, 90, 3))
    closed.receipt(INITIAL + 37 * DAY, (MILK, 90, 5))
    corrections(closed)
    last = (INITIAL + 44 * DAY).date().isoformat()
    done = closed.command("close", last)
    assert done.returncode == 1
    told, _, line = done.stdout.partition("error:")
    rows = [row.split() for row in told.strip().splitlines()]
    assert rows[1:] == [
        [str(unknown), "ENTRADA_MERCANCIA", "99", "2026-09-22", "producto", "desconocido"],
        [str(unknown + 2), "VENTA", str(SCREWS), "2026-09-23", "costo", "provisional"],
    ]
    assert f"of what {last} closes, 1 movements wait as rejects and 1 sales" in line
    assert len(line.strip().splitlines()) == 1
    assert len(closed.olap_rows("SELECT * FROM dw.cierre")) == 1
    shown = closed.succeed("close", last, "--anyway").stdout
    (row,) = closed.olap_rows("SELECT * FROM dw.cierre WHERE dia = %s", last)
    assert dict(re.split(" {2,}", line) for line in shown.splitlines()) == {
        **{"closed up to": last, "movements": "5", "stock": "-1", "value": "13.00"},
        **{"rejects of it": "1", "provisional costs": "1", "huella": row["huella"]},
    }


def test_the_list_shows_closings_and_what_was_undone(closed: Shop):
    last = (INITIAL + 44 * DAY).date().isoformat()
    (first,) = closed.olap_rows("SELECT * FROM dw.cierre")
    second = json.loads(closed.succeed("close", last, "--json").stdout)
    closed.succeed("close", "--reopen", last, "--reason", "freight of June")
    shown = [
        re.split(" {2,}", line) for line in closed.succeed("close", "--list").stdout.splitlines()
    ]
    closed_on = first["cerrado"].date().isoformat()
    assert shown[1:] == [
        ["2026-09-16", closed_on, "3", "16", "50.00", "-", first["huella"]],
        [last, closed_on, "1", "15", "45.00", "freight of June", second["huella"]],
    ]
    rows = json.loads(closed.succeed("close", "--list", "--json").stdout)["closings"]
    assert [row["valor"] for row in rows] == [50, 45]
    closed.succeed("close", "--reopen", "2026-09-16", "--reason", "a test")
    assert closed.succeed("close", "--list", ETL_LANG="es").stdout.startswith("día")


def test_a_shop_without_closings_lists_none(shop: Shop):
    assert shop.succeed("close", "--list").stdout == "nothing is closed\n"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_report_has_the_last_closing_and_what_was_booked_since(
    closed: Shop, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    with running_browser(tmp_path_factory.mktemp("chromium")) as browser:
        browser.open(report(closed, tmp_path, ETL_LANG="en"))
        calm = "document.querySelector('.calm #corrections dd').textContent"
        assert browser.evaluate(calm).startswith("Closed up to Sep 16, 2026; nothing of it")
        closed.correct_line(SALE, id_producto=SCREWS)
        (late,) = closed.sale(INITIAL + 3 * DAY, (MILK, 2, "11.80"))
        corrections(closed)
        browser.open(report(closed, tmp_path, ETL_LANG="en"))
        note = browser.evaluate("document.querySelector('#corrections .note').textContent")
        assert "Closed up to Sep 16, 2026." in note
        assert "changes the value by 2.00 and the margin by 22.00" in note
        assert rows_of(browser, "corrections") == [
            ["Producto 1 P1", "3", "2026-08-20", "corrected", "4", "20.00", "-20.00"],
            ["Producto 1 P1", str(late), "2026-08-21", "came late", "-2", "-10.00", "10.00"],
            ["Producto 2 P2", "3", "2026-08-20", "corrected", "-4", "-8.00", "32.00"],
        ]
        assert browser.complaints == []
