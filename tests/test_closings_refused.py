"""What a closing forbids is refused in one line and changes nothing; and it can be undone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from closed_shop import BREAD, FEBRUARY, JANUARY, MILK, ClosedShop, K, figures, on
from fault_shop import olap_tables
from shop_database import Shop, new_shop
from shop_server import ShopServer

from pipeline.state.request import Request

REOPEN = ("close", "--reopen")
WHY = ("--reason", "falta el flete")


@pytest.fixture
def open_shop(shop: Shop) -> ClosedShop:
    """Nothing is closed."""
    return ClosedShop(shop)


@pytest.fixture
def january(open_shop: ClosedShop) -> ClosedShop:
    """January is closed."""
    open_shop.close()
    return open_shop


def refused(it: ClosedShop, *command: str, said: str, listed: int = 0) -> None:
    """It fails in one line that says so, after so many listed, and nothing is changed."""
    before = olap_tables(it.shop)
    done = it.shop.command(*command)
    assert done.returncode == 1, done.stdout
    assert said in done.stdout
    assert len(done.stdout.splitlines()) == 1 + listed, done.stdout
    assert olap_tables(it.shop) == before


def test_a_day_that_the_windows_have_not_passed(open_shop: ClosedShop):
    refused(open_shop, "close", "2025-03-10", said="2025-03-10 is not loaded to its end yet")
    # Nor have they valued by a type that was edited.
    with open_shop.shop.olap.cursor() as cursor:
        cursor.execute(
            "UPDATE dw.tipo_movimiento SET clase = 'ventas' WHERE tipo = 'AJUSTE_SALIDA'"
        )
    refused(open_shop, "close", "2025-03-09", said="2025-03-09 is not loaded to its end yet")
    open_shop.read()
    open_shop.close(date(2025, 3, 9))


def test_a_day_of_a_shop_that_was_never_read(shop: Shop):
    done = shop.command("close", "2025-01-31")
    assert done.returncode == 1
    assert "is not loaded to its end yet; nothing was changed" in done.stdout


def test_a_day_that_is_not_over(open_shop: ClosedShop):
    today = datetime.now(UTC).date()
    for day in (today, today + timedelta(days=400)):
        refused(open_shop, "close", day.isoformat(), said=f"{day} is not over yet")


def test_a_day_that_is_closed_or_none(january: ClosedShop):
    for day in ("2025-01-30", "2025-01-31", "2024-12-31", "0001-01-01"):
        said = f"{day} is closed already, as all up to 2025-01-31 is; nothing was changed"
        refused(january, "close", day, said=said)
    for day in ("2025-02-30", "enero", "2025-02", "31/01/2025", ""):
        said = "is not a day; write it as 2026-06-30"
        refused(january, "close", day, said=said)
        refused(january, *REOPEN, day, *WHY, said=said)


def test_what_waits_or_is_provisional_wants_leave(open_shop: ClosedShop):
    it = open_shop
    # More bread than there is, and a line without a price; the same once more in February.
    for month in (1, 2):
        it.shop.sale(on(month, 25), (BREAD, 11, 5))
        it.shop.sale(on(month, 26), (MILK, 1, None))
    it.read()
    said = (
        "of what 2025-01-31 closes, 1 movements wait as rejects"
        " and 1 sales have a provisional cost; nothing was changed"
    )
    # Under a heading, and above an empty line.
    refused(it, "close", "2025-01-31", said=said, listed=2 + 2)
    it.close()
    # What January left behind waits still.
    said = "of what 2025-02-28 closes, 2 movements wait as rejects and 1 sales have"
    refused(it, "close", "2025-02-28", said=said, listed=3 + 2)
    # Once it is mended it is booked as what came late.
    (waiting,) = it.shop.olap_rows("SELECT min(id_movimiento) AS id FROM etl.rechazo")
    it.shop.correct_line(waiting["id"], precio_unitario=10)
    it.read()
    assert it.booked(waiting["id"]) == [(0, K.date(), "VENTA", -1, 6, 0)]


def test_reopening_the_last_one_alone_and_for_a_reason(january: ClosedShop):
    it = january
    refused(it, *REOPEN, "2025-01-31", said="--reopen needs --reason")
    refused(it, *REOPEN, "2025-01-31", "--reason", " ", said="--reopen needs --reason")
    last = "the last closing is that of 2025-01-31; nothing was changed"
    refused(it, *REOPEN, "2025-01-30", *WHY, said=last)
    refused(it, *REOPEN, "2025-02-28", *WHY, said=last)
    it.close(FEBRUARY)
    last = "the last closing is that of 2025-02-28; nothing was changed"
    refused(it, *REOPEN, "2025-01-31", *WHY, said=last)
    for day in (FEBRUARY, JANUARY):
        it.shop.succeed(*REOPEN, day.isoformat(), *WHY)
    said = "there is no closing; nothing was changed"
    refused(it, *REOPEN, "2025-01-31", *WHY, said=said)
    listed = json.loads(it.shop.succeed("close", "--list", "--json").stdout)["closings"]
    assert [(row["dia"], row["motivo"]) for row in listed] == [
        ("2025-01-31", "falta el flete"),
        ("2025-02-28", "falta el flete"),
    ]


def test_openings_of_what_is_closed(january: ClosedShop):
    it = january
    it.shop.product(3)
    it.read()
    file = it.shop.folder / "conteo.csv"
    for line, refuses in (
        (f"{MILK},5,6,2025-02-10", True),  # milk has closed rows
        ("3,5,6,2025-01-31", True),
        ("3,5,6,", True),  # from the beginning on
        ("3,5,6,2025-02-01", False),
    ):
        file.write_text(f"id_producto,existencias,costo_promedio,fecha\n{line}\n")
        if refuses:
            said = "the opening would change what is closed up to 2025-01-31 (product "
            refused(it, "opening", str(file), "--drop-earlier", said=said)
        else:
            it.shop.succeed("opening", str(file))
            it.assert_equal()


def test_types_of_what_is_closed(january: ClosedShop):
    """What they say of how a row counts; what they say of how one is read holds from now on."""
    it = january
    before = olap_tables(it.shop)
    said = (
        "movements of type VENTA are closed, and would be reported otherwise; nothing was changed"
    )
    update = "UPDATE dw.tipo_movimiento SET {} WHERE tipo = '{}'"
    with it.shop.olap.cursor() as cursor:
        for change in ("clase = 'merma'", "resta = true", "signo = 0"):
            with pytest.raises(psycopg2.Error, match=said):
                cursor.execute(update.format(change, "VENTA"))
        assert olap_tables(it.shop) == before
        cursor.execute(update.format("clase = 'ventas'", "AJUSTE_SALIDA"))
        cursor.execute(update.format("tipo_si_negativa = NULL, nombre = 'Ventas'", "VENTA"))
    it.read()


def test_history_before_what_is_closed(january: ClosedShop):
    it = january
    it.shop.receipt(datetime(2024, 12, 1, tzinfo=UTC), (MILK, 5, 5))
    it.read()
    before = olap_tables(it.shop)
    done = it.shop.task("Backfill", "--since", "2024-01-01")
    assert done.returncode != 0
    said = "earlier history would change what is closed up to 2025-01-31; nothing was changed"
    assert said in done.stdout
    assert olap_tables(it.shop) == before


def test_another_time_zone(january: ClosedShop):
    """Days would be cut elsewhere: every command that could move one says so."""
    it = january
    before = olap_tables(it.shop)
    it.shop.env["ETL_TIMEZONE"] = "America/Lima"
    said = "ETL_TIMEZONE is America/Lima, but this OLAP was loaded in UTC, and its days would shift"
    refused(it, "close", "2025-02-28", said=said)
    refused(it, *REOPEN, "2025-01-31", *WHY, said=said)
    said = "it was loaded in UTC, but ETL_TIMEZONE is America/Lima, and days would shift"
    for done in (it.shop.command("rebuild"), it.shop.command("plan"), it.shop.run_due()):
        assert done.returncode != 0 and said in done.stdout
    assert olap_tables(it.shop) == before


def test_reopened_it_is_as_if_it_had_never_been_closed(
    january: ClosedShop, shop_server: ShopServer, tmp_path: Path
):
    """Whatever was corrected meanwhile, and in whatever category and with what tax."""
    it, shop = january, january.shop
    (back,) = shop.document("DEVOLUCION_VENTA", on(1, 25), [(MILK, 4, 10)])
    shop.correct_line(back, id_origen=it.sale)
    shop.movement("COSTO_ADICIONAL", on(1, 28), MILK, 1, costo_unitario=30, id_origen=it.receipt)
    shop.movement("CONTEO", on(1, 30), BREAD, 7)
    shop.correct_document(it.bread, fecha=on(2, 3))
    it.read()
    it.close(FEBRUARY)
    shop.correct_line(it.sale, cantidad=90)
    shop.correct_line(it.later, id_producto=BREAD)
    shop.correct_document(back, anulada=True)
    shop.product(MILK, "Lácteos")
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.15")
    it.read()
    for _ in (FEBRUARY, JANUARY):
        it.reopen_books()
        it.assert_equal()
    folder = tmp_path / "never"
    folder.mkdir()
    with new_shop(folder, shop_server) as never:
        never.env |= {name: value for name, value in shop.env.items() if name.startswith("OLTP_")}
        never.env["ETL_INITIAL_SINCE"] = shop.env["ETL_INITIAL_SINCE"]
        with never.olap.cursor() as cursor:
            cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.15")
        never.run_in_process(as_of=it.as_of)
        assert figures(never) == figures(shop)


@pytest.mark.parametrize("archived", [False, True])
def test_reopening_asks_for_no_product(january: ClosedShop, archived: bool):
    """What corrects January is booked where February begins, though its product is gone."""
    it, shop = january, january.shop
    shop.correct_document(it.later, anulada=True)
    it.read()
    it.close(FEBRUARY)
    shop.correct_line(it.sale, cantidad=90)
    it.read()
    if archived:
        shop.till("DELETE FROM detalle_transaccion")
    shop.till("DELETE FROM productos WHERE id_producto = %s", MILK)
    it.read()
    it.reopen_books()
    it.assert_equal()
    assert [row[:2] for row in it.booked(it.sale)[1:]] == [(1, K.date()), (2, K.date())]
    it.run(request=Request(everything=True))
    it.assert_equal()


def test_a_reopened_month_is_closed_again_with_what_came(january: ClosedShop):
    it = january
    (declared,) = it.shop.olap_rows("SELECT huella FROM dw.cierre")
    it.shop.receipt(on(1, 10), (MILK, 60, 16))
    it.read()
    it.reopen_books()
    assert it.month(1)["costo_ventas"] == Decimal("933.333360")
    it.close()
    (again,) = it.shop.olap_rows("SELECT * FROM dw.cierre")
    assert again["huella"] != declared["huella"]
    assert (again["movimientos"], again["existencias"]) == (4, 90)
    # And is what it was, once that is undone.
    it.reopen_books()
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle > %s", it.later)
    it.run(request=Request(everything=True))
    it.close()
    (same,) = it.shop.olap_rows("SELECT movimientos, existencias, valor FROM dw.cierre")
    assert tuple(same.values()) == (3, 30, 150)
