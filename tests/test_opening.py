"""Opening balances: before and after the first window, corrected, dated, and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def give(shop: Shop, text: str, *options: str, code: int = 0) -> str:
    """The opening command with a file of this text."""
    path = shop.folder / "conteo.csv"
    path.write_text(text, encoding="utf-8")
    done = shop.command("opening", str(path), *options)
    assert done.returncode == code, done.stdout
    return done.stdout


def trade(shop: Shop) -> None:
    """Three products with a month of movements."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for product in (1, 2, 3):
        shop.product(product, codigo=f"SKU-{product}")
        for day in range(0, 30, 5):
            shop.sale(BEGINNING + day * DAY, (product, 2, 9))
            shop.receipt(BEGINNING + day * DAY + DAY, (product, 3, 4 + day))


def test_an_opening_before_the_first_window_holds_at_the_initial_date(shop: Shop):
    trade(shop)
    give(shop, "id_producto,existencias,costo_promedio\n1,100,5.5\n2,7.25,0\n")
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    assert shop.olap_rows("SELECT count(*) AS n FROM dw.apertura WHERE fecha = %s", BEGINNING) == [
        {"n": 2}
    ]


def test_a_first_receipt_whose_cost_is_far_from_the_opening_is_listed_beside_it(shop: Shop):
    trade(shop)
    shop.product(4)
    give(shop, "id_producto,existencias,costo_promedio\n4,5,2.123457\n")
    shop.receipt(BEGINNING + DAY, (4, 1, 90))
    shop.run_in_process()
    (jump,) = shop.olap_rows("SELECT * FROM dw.v_saltos_costo WHERE id_producto = 4")
    assert jump["costo_promedio_anterior"] == Decimal("2.123457")


def test_an_opening_after_it_revalues_and_may_be_corrected(shop: Shop):
    trade(shop)
    shop.product(4, codigo="SKU-4")
    shop.run_in_process()
    said = give(shop, "codigo,existencias,costo_promedio\nSKU-1,50,3\nSKU-4,9,2\n")
    assert "2 products valued again" in said
    assert_olap_equals_replay(shop, BEGINNING)
    give(shop, "id_producto;existencias;costo_promedio\n1;10;8.123456\n")
    assert_olap_equals_replay(shop, BEGINNING)
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)


def test_a_later_date_needs_leave_and_an_earlier_one_reads_again(shop: Shop):
    trade(shop)
    shop.run_in_process()
    later = "id_producto,existencias,costo_promedio,fecha\n1,5,6,2026-01-12\n"
    before = shop.olap_rows("SELECT * FROM dw.kardex ORDER BY id_movimiento")
    said = give(shop, later, code=1)
    assert "product 1 (SKU-1): 5 movements before" in said
    assert "--drop-earlier" in said
    assert shop.olap_rows("SELECT * FROM dw.kardex ORDER BY id_movimiento") == before
    give(shop, later, "--drop-earlier")
    assert_olap_equals_replay(shop, BEGINNING)
    assert "reads everything again" in give(shop, later.replace("01-12", "01-03"))
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)


def test_a_reject_of_before_an_opening_waits_no_more(shop: Shop):
    trade(shop)
    early, late = shop.sale(BEGINNING + 9 * DAY, (1, 1, 9)) + shop.sale(
        BEGINNING + 12 * DAY, (1, 1, 9)
    )
    for line in (early, late):
        shop.correct_line(line, precio_unitario=None)
    shop.run_in_process()
    give(shop, "id_producto,existencias,costo_promedio,fecha\n1,5,6,2026-01-12\n", "--drop-earlier")
    for _ in range(2):
        assert shop.olap_rows("SELECT id_movimiento FROM etl.rechazo") == [{"id_movimiento": late}]
        assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
        shop.run_in_process()


def test_an_opening_may_be_given_by_branch(shop: Shop):
    trade(shop)
    shop.branch(7)
    header = "id_producto,existencias,costo_promedio,id_sucursal\n"
    give(shop, header + "1,60,5.5,7\n1,40.5,5.50,\n2,3,1,7\n")
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    stands = "SELECT id_producto, id_sucursal, existencias FROM dw.apertura_sucursal ORDER BY 1, 2"
    assert [tuple(row.values()) for row in shop.olap_rows(stands)] == [
        (1, 0, Decimal("40.5")),
        (1, 7, 60),
        (2, 7, 3),
    ]
    shop.movement("CONTEO", BEGINNING + 3 * DAY, 1, 58, id_sucursal=7)
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    # Whole, it stands at no branch, and the count finds other differences.
    give(shop, "id_producto,existencias,costo_promedio\n1,100.5,5.5\n")
    assert_olap_equals_replay(shop, BEGINNING)
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("1,5,5,8", "line 3: id_sucursal is '8', but must be a branch of the OLTP, or empty"),
        ("1,5,5,x", "line 3: id_sucursal is 'x'"),
        ("1,5,5,7", "line 3: product 1 was given already in line 2"),
        ("1,5,6,", "line 3: costo_promedio is '6', but must be what it is in the product's other"),
        ("1,99999999999,5,", "line 3: existencias is '99999999999', but must not make"),
    ],
)
def test_a_bad_line_of_a_branch_is_named_and_nothing_is_changed(shop: Shop, line: str, cause: str):
    trade(shop)
    shop.branch(7)
    header = "id_producto,existencias,costo_promedio,id_sucursal\n"
    said = give(shop, f"{header}1,5,5,7\n{line}\n", code=1)
    assert cause in said
    assert len(said.splitlines()) == 1
    assert not shop.olap_rows("SELECT * FROM dw.apertura")


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("9,1,1", "line 3: id_producto is '9', but must be a product of the OLTP"),
        ("x,1,1", "line 3: id_producto is 'x'"),
        ("2,-1,1", "line 3: existencias is '-1'"),
        ("2,1,NaN", "line 3: costo_promedio is 'NaN'"),
        ("1,1,1", "line 3: product 1 was given already in line 2"),
        ("2,1", "line 3: the number of fields is 2"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_changed(shop: Shop, line: str, cause: str):
    trade(shop)
    said = give(shop, f"id_producto,existencias,costo_promedio\n1,5,5\n{line}\n", code=1)
    assert cause in said
    assert len(said.splitlines()) == 1
    assert not shop.olap_rows("SELECT * FROM dw.apertura")


@pytest.mark.one_postgres
def test_a_product_whose_number_is_below_zero_is_one(shop: Shop):
    trade(shop)
    shop.till(
        "INSERT INTO productos (id_producto, nombre) OVERRIDING SYSTEM VALUE VALUES (-4, 'x')"
    )
    give(shop, "id_producto,existencias,costo_promedio\n-4,5,5\n1,2,2\n")
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    assert len(shop.olap_rows("SELECT * FROM dw.apertura WHERE id_producto = -4")) == 1


@pytest.mark.one_postgres
def test_an_id_and_the_code_of_another_product_are_refused(shop: Shop):
    trade(shop)
    shop.till("UPDATE productos SET codigo = 'C' || id_producto")
    header = "id_producto,codigo,existencias,costo_promedio\n"
    said = give(shop, header + "1,C2,5,5\n", code=1)
    assert "line 2: codigo is 'C2', but must be that of product 1, or empty" in said
    assert not shop.olap_rows("SELECT * FROM dw.apertura")
    give(shop, header + "1,C1,5,5\n2,,5,5\n")
    assert len(shop.olap_rows("SELECT * FROM dw.apertura")) == 2


@pytest.mark.one_postgres
def test_a_count_that_is_still_to_come_is_refused(shop: Shop):
    trade(shop)
    said = give(shop, "id_producto,existencias,costo_promedio,fecha\n1,5,5,2999-01-01\n", code=1)
    assert "line 2: fecha is '2999-01-01', but must not be in the future" in said
    assert not shop.olap_rows("SELECT * FROM dw.apertura")


def test_a_count_older_than_what_is_loaded_is_told(shop: Shop):
    trade(shop)
    shop.run_in_process()
    line = "1,100,5.5,2025-12-01\n"
    said = give(shop, f"id_producto,existencias,costo_promedio,fecha\n{line}2,3,1,2026-01-01\n")
    assert "1 of them are dated before 2026-01-01" in said
    assert "Backfill --since" in said
    again = give(shop, "id_producto,existencias,costo_promedio,fecha\n1,100,5.5,2026-01-01\n")
    assert "dated before" not in again
