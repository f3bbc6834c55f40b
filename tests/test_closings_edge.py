"""What a closing must bear: products and types that are edited, reopening, ids that begin anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import psycopg2
import pytest
from property_shop import DAY, LATE_PRODUCT
from shop_database import Shop
from test_property_closings import Midnights

from pipeline.errors import PipelineError
from pipeline.run.verify import Findings, verify

MILK, SCREWS, NEW = 1, 2, 3
SOLD = 3  # the line of the sale that is closed


@pytest.fixture
def empty(shop: Shop) -> Iterator[Midnights]:
    """A shop whose products are known and that has sold nothing yet."""
    it = Midnights(shop)
    shop.branch(1)
    yield it
    it.close()


@pytest.fixture
def closed(empty: Midnights) -> Midnights:
    """Two receipts and a sale that are closed up to the tenth day, and a sale after it."""
    receipts = [(MILK, Decimal(10), Decimal(5)), (SCREWS, Decimal(10), Decimal(3))]
    empty.document("ENTRADA_MERCANCIA", day(empty, 1), receipts, 1)
    empty.document("VENTA", day(empty, 2), [(MILK, Decimal(4), Decimal(9))], 1)
    empty.document("VENTA", day(empty, 12), [(MILK, Decimal(1), Decimal(9))], 1)
    empty.run()
    empty.assert_equal()
    empty.close_books(day(empty, 10))
    return empty


def day(it: Midnights, number: int) -> datetime:
    """The beginning of a day of the shop's history."""
    return it.initial + number * DAY


def proved(it: Midnights) -> Findings:
    """The OLAP is the replay, and verify says so."""
    it.assert_equal()
    with it.settings() as settings:
        findings = verify(settings, None, everything=True)
    assert findings.clean, findings
    return findings


def test_a_correction_to_a_product_that_is_not_known_waits_and_is_no_archive(closed: Midnights):
    closed.shop.correct_line(SOLD, id_producto=LATE_PRODUCT)
    closed.run()
    assert proved(closed).archived == 0
    closed.shop.product(LATE_PRODUCT)
    closed.run()
    proved(closed)


def test_what_came_back_after_its_void_was_closed_is_archived_with_its_product(closed: Midnights):
    closed.shop.correct_document(SOLD, anulada=True)
    closed.run()
    closed.assert_equal()
    closed.close_books(day(closed, 15))
    closed.shop.correct_document(SOLD, anulada=False)
    closed.run()
    proved(closed)
    closed.shop.till("DELETE FROM productos WHERE id_producto = %s", MILK)
    closed.run()
    assert proved(closed).archived == 3


def test_verify_does_not_take_what_waits_for_what_is_archived(closed: Midnights):
    closed.shop.correct_line(SOLD, cantidad=None)
    with closed.settings() as settings:
        findings = verify(settings, None, everything=True)
    assert (findings.archived, findings.pending) == (0, 1)


def test_another_place_of_a_type_in_a_day_leaves_what_is_closed(closed: Midnights):
    """And what corrects it is in the place that its type has now."""
    for order, rows in ((2, 4), (1, 4)):
        closed.shop.olap.cursor().execute(
            "UPDATE dw.tipo_movimiento SET orden = %s WHERE tipo = 'VENTA'", (order,)
        )
        closed.run()
        assert closed.shop.olap_rows("SELECT count(*) FROM dw.kardex") == [{"count": rows}]
    proved(closed)
    closed.shop.correct_line(SOLD, cantidad=2)
    closed.run()
    proved(closed)
    closed.shop.olap.cursor().execute(
        "UPDATE dw.tipo_movimiento SET orden = 2 WHERE tipo = 'VENTA'"
    )
    closed.run()
    assert (
        closed.shop.olap_rows(
            "SELECT orden FROM dw.kardex WHERE fecha >= %s AND tipo = 'VENTA'", day(closed, 10)
        )
        == [{"orden": 2}] * 3
    )
    with closed.settings() as settings:
        assert verify(settings, None, everything=True).clean


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE dw.tipo_movimiento SET clase = 'merma' WHERE tipo = 'VENTA'",
        "UPDATE dw.tipo_movimiento SET signo = 1 WHERE tipo = 'VENTA'",
        "DELETE FROM dw.tipo_movimiento WHERE tipo = 'ENTRADA_MERCANCIA'",
    ],
)
def test_a_type_with_closed_movements_is_reported_as_it_was(closed: Midnights, edit: str):
    cursor = closed.shop.olap.cursor()
    cursor.execute(
        "UPDATE dw.tipo_movimiento SET tipo_origen = 'VENTA' WHERE tipo_origen IS NOT NULL"
    )
    with pytest.raises(psycopg2.DatabaseError, match="are closed, and would be reported otherwise"):
        cursor.execute(edit)
    cursor.execute("UPDATE dw.tipo_movimiento SET clase = 'compras' WHERE tipo = 'AJUSTE_SALIDA'")


def test_an_opening_of_the_first_open_instant_leaves_out_what_came_late(closed: Midnights):
    closed.document("ENTRADA_MERCANCIA", day(closed, 3), [(NEW, Decimal(7), Decimal(5))], 1)
    closed.run()
    closed.assert_equal()
    closed.give_opening(NEW, {0: Decimal(7)}, Decimal(5), day(closed, 10))
    proved(closed)


def test_reopening_moves_a_correction_to_where_the_period_before_ends(closed: Midnights):
    closed.close_books(day(closed, 15))
    closed.shop.correct_line(SOLD, cantidad=2)
    closed.run()
    closed.assert_equal()
    closed.reopen_books()
    proved(closed)


def test_verify_finds_a_correction_that_is_booked_elsewhere(closed: Midnights):
    closed.shop.correct_line(SOLD, cantidad=2)
    closed.run()
    proved(closed)
    cursor = closed.shop.olap.cursor()
    cursor.execute(
        "UPDATE dw.kardex SET fecha = fecha + interval '1 hour' WHERE fecha_documento < fecha"
    )
    with closed.settings() as settings:
        findings = verify(settings, None, everything=True)
    assert {(fault["product"], fault["movement"]) for fault in findings.books} == {(MILK, SOLD)}


def test_reopening_lets_what_its_product_had_kept_wait(closed: Midnights):
    closed.close_books(day(closed, 15))
    closed.shop.correct_line(SOLD, cantidad=2)
    closed.run()
    closed.assert_equal()
    closed.shop.till("DELETE FROM productos WHERE id_producto = %s", MILK)
    closed.run()
    closed.assert_equal()
    closed.reopen_books()
    closed.run()
    proved(closed)


def test_where_nothing_is_closed_any_more_nothing_is_a_correction(closed: Midnights):
    closed.shop.correct_document(SOLD, fecha=day(closed, 20))
    closed.run()
    closed.assert_equal()
    closed.reopen_books()
    proved(closed)


def test_there_is_nothing_to_reopen(empty: Midnights):
    said = empty.shop.command("close", "--reopen", "2026-06-30", "--reason", "una prueba")
    assert said.returncode == 1
    assert "there is no closing; nothing was changed" in said.stdout


def test_ids_that_begin_anew_over_a_closed_period_stop_the_window(empty: Midnights):
    empty.shop.env["ETL_MAX_REMOVED_SHARE"] = "0.05"
    for number in range(500):
        line = (1 + number % 5, Decimal(1 + number % 3), Decimal(9))
        empty.document("VENTA", day(empty, 1 + number % 8), [line], 1)
    empty.run()
    empty.assert_equal()
    empty.close_books(day(empty, 10))
    empty.shop.till("UPDATE transacciones SET fecha = %s WHERE id_transaccion < 25", day(empty, 20))
    empty.shop.till(
        "UPDATE detalle_transaccion SET id_producto = 1 + id_producto %% 5, cantidad = cantidad + 5"
        " WHERE id_detalle < %s",
        25,
    )
    with pytest.raises(PipelineError, match="24 replaced by other documents with their ids"):
        empty.run()


def test_what_is_closed_hides_no_database_that_lacks_the_rest(empty: Midnights):
    empty.shop.env["ETL_MAX_REMOVED_SHARE"] = "0.05"
    lines = [(1 + number % 5, Decimal(1), Decimal(9)) for number in range(1000)]
    empty.document("VENTA", day(empty, 5), lines, 1)
    empty.document("VENTA", day(empty, 20), lines[:45], 1)
    empty.run()
    empty.assert_equal()
    empty.close_books(day(empty, 10))
    empty.shop.till("TRUNCATE transacciones, detalle_transaccion")
    with pytest.raises(PipelineError, match="45 would be removed"):
        empty.run()


def test_the_fingerprint_of_a_period_is_that_of_any_session(closed: Midnights):
    cursor = closed.shop.olap.cursor()
    columns = "regla, orden, signo, cantidad, precio, costo, importe, destino, resta, nombre"
    cursor.execute(
        f"INSERT INTO dw.tipo_movimiento (tipo, clase, descripcion, {columns})"
        f" SELECT 'DONACIÓN', clase, descripcion, {columns} FROM dw.tipo_movimiento"
        " WHERE tipo = 'AJUSTE_SALIDA'"
    )
    closed.movement("DONACIÓN", day(closed, 11), id_producto=MILK, cantidad=1)
    closed.run()
    closed.shop.succeed("close", day(closed, 14).date().isoformat())
    for setting in (
        "client_encoding = 'LATIN1'",
        "TimeZone = 'America/Lima'",
        "extra_float_digits = 0",
        "bytea_output = 'escape'",
        "DateStyle = 'SQL, DMY'",
    ):
        cursor.execute(f"SET {setting}")
        cursor.execute("SELECT * FROM etl.verificar_cierres()")
        assert not cursor.fetchall(), setting


@pytest.mark.parametrize("figure", ["movimientos", "existencias", "valor"])
def test_the_figures_of_a_closing_are_in_its_fingerprint(closed: Midnights, figure: str):
    closed.shop.olap.cursor().execute(f"UPDATE dw.cierre SET {figure} = {figure} + 1")
    said = closed.shop.command("verify")
    assert said.returncode == 1
    assert "is not what it was" in said.stdout
    assert "restore the OLAP from a backup, or reopen it" in said.stdout


def test_what_is_closed_and_comes_again_with_other_ids_would_count_twice(empty: Midnights):
    empty.shop.env["ETL_MAX_REMOVED_SHARE"] = "0.05"
    lines = [(1 + number % 5, Decimal(1), Decimal(9)) for number in range(6)]
    empty.document("VENTA", day(empty, 5), lines, 1)
    empty.run()
    empty.assert_equal()
    empty.close_books(day(empty, 10))
    empty.shop.till("UPDATE detalle_transaccion SET id_detalle = id_detalle + 1000")
    empty.shop.till("VACUUM FULL detalle_transaccion")
    with pytest.raises(PipelineError, match="6 movements that are closed come again with other"):
        empty.run()
    assert "come again with other ids" in empty.shop.command("plan").stdout
    empty.shop.till("UPDATE detalle_transaccion SET id_detalle = id_detalle - 1000")
    empty.run()
    proved(empty)
