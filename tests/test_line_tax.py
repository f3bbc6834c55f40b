"""The tax of a line: its own rate, and whether its price has it within, before the policy's."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay, replay_shop
from oracle_closings import close
from oracle_types import CREDIT_NOTE, CUSTOMER_RETURN, RECEIPT, SALE
from shop_database import Shop
from shop_words import own_words
from test_verify import soon_enough
from view_comparison import view_differences

END = datetime(2025, 10, 17, 3, tzinfo=UTC)
INITIAL = END - timedelta(days=60)
MILK, TEA = 1, 2
RATE = Decimal("0.18")


def day(number: float) -> datetime:
    return INITIAL + timedelta(days=number)


@pytest.fixture
def taxed(shop: Shop) -> Shop:
    """Two products; all sales are taxed at 10 % by the policy, from day 30 on at 25 %."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    own_words(shop)
    for product in (MILK, TEA):
        shop.product(product, "Lácteos" if product == MILK else None)
        shop.movement(RECEIPT, day(1), product, 50, costo_unitario=2, impuesto=RATE)
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.1")
        cursor.execute(
            "INSERT INTO dw.politica_precio (impuesto, desde) VALUES (0.25, %s)", (day(30),)
        )
    return shop


def sell(shop: Shop, when: float, price: Any, *, tipo: str = SALE, **line: Any) -> int:
    return shop.movement(tipo, day(when), MILK, 1, precio_unitario=Decimal(price), **line)


def run(shop: Shop, hours: int = 0, **rules: Any) -> list[Decimal]:
    """A window, proved; the net sales of each day."""
    as_of = END + timedelta(hours=hours)
    shop.run_in_process(as_of=as_of)
    replayed = assert_olap_equals_replay(shop, INITIAL, **rules)
    assert not view_differences(shop.olap, replayed, as_of)
    done = shop.command("verify")
    assert done.returncode == 0, done.stdout
    rows = shop.olap_rows(
        "SELECT venta_neta AS neta FROM dw.resumen_diario WHERE venta_neta <> 0 ORDER BY dia"
    )
    return [row["neta"] for row in rows]


def six(price: float, rate: float) -> Decimal:
    return (Decimal(str(price)) / (1 + Decimal(str(rate)))).quantize(Decimal("0.000001"))


def test_a_line_says_more_than_the_policy_and_the_setting(taxed: Shop):
    sell(taxed, 2, 118, impuesto=RATE)
    sell(taxed, 3, 118)
    sell(taxed, 4, 118, impuesto=0)
    sell(taxed, 5, 118, impuesto=RATE, precio_con_impuesto=False)
    sell(taxed, 6, 118, precio_con_impuesto=False)
    sell(taxed, 35, 118)
    sell(taxed, 36, 118, impuesto=RATE, tipo=CUSTOMER_RETURN)
    sell(taxed, 37, 118, impuesto=RATE, importe=59, tipo=CREDIT_NOTE)
    within = [100, six(118, 0.1), 118, 118, 118, six(118, 0.25), -100, -50]
    assert run(taxed) == within
    (price,) = taxed.olap_rows("SELECT precio, precio_neto FROM dw.mv_precios")
    assert price == {"precio": 118, "precio_neto": six(118, 0.25)}


def test_where_prices_are_net_a_line_may_have_its_tax_within(taxed: Shop):
    taxed.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    sell(taxed, 2, 118, impuesto=RATE)
    sell(taxed, 3, 118, precio_con_impuesto=True)
    sell(taxed, 35, 118, precio_con_impuesto=True)
    sell(taxed, 36, 100, impuesto=RATE)
    net = {"prices_include_tax": False}
    assert run(taxed, **net) == [118, six(118, 0.1), six(118, 0.25), 100]
    # The price that is shown has its tax: the line's own.
    (price,) = taxed.olap_rows("SELECT precio, precio_neto FROM dw.mv_precios")
    assert price == {"precio": 118, "precio_neto": 100}
    # The policy holds for lines without a rate, here too.
    taxed.olap.cursor().execute("UPDATE dw.politica_precio SET impuesto = 0.5 WHERE desde IS NULL")
    assert run(taxed, 1, **net) == [118, six(118, 0.5), six(118, 0.25), 100]
    del taxed.env["ETL_PRICES_INCLUDE_TAX"]
    assert run(taxed, 2) == [100, six(118, 0.5), six(118, 0.25), six(100, 0.18)]


def test_a_changed_rate_is_a_correction_and_what_is_short_is_proved(taxed: Shop):
    rated = sell(taxed, 2, 118, impuesto=RATE)
    plain = sell(taxed, 3, 118)
    run(taxed)
    soon_enough(taxed)
    taxed.correct_line(rated, impuesto=None)
    taxed.correct_line(plain, precio_con_impuesto=False)
    assert run(taxed, 1) == [six(118, 0.1), 118]
    (last,) = taxed.olap_rows("SELECT cambiadas FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    assert last == {"cambiadas": 2}
    # A year later they leave the sums of a year as they came.
    taxed.correct_line(rated, impuesto=RATE)
    assert run(taxed, 24 * 340) == [100, 118]


def test_verify_sees_a_rate_that_somebody_wrote(taxed: Shop):
    rated = sell(taxed, 2, 118, impuesto=RATE)
    run(taxed)
    for column, value in (("impuesto", "0.19"), ("precio_con_impuesto", "true")):
        taxed.olap.cursor().execute(
            f"UPDATE dw.kardex SET {column} = {value} WHERE id_movimiento = {rated}"
        )
        done = taxed.command("verify", "--all")
        assert done.returncode == 1 and f"different  1: {rated}" in done.stdout, done.stdout
        taxed.olap.cursor().execute("UPDATE dw.kardex SET impuesto = 0.18,"
            f" precio_con_impuesto = NULL WHERE id_movimiento = {rated}")  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        ("18", "impuesto fuera de rango"),
        ("0.9999995", "impuesto fuera de rango"),
        ("NaN", "impuesto fuera de rango"),
        ("-0.01", "impuesto negativo"),
    ],
)
def test_what_is_no_rate_waits(taxed: Shop, rate: str, reason: str):
    sale = sell(taxed, 2, 118, impuesto=Decimal(rate))
    # Of what has no price nobody looks at it.
    taxed.movement(RECEIPT, day(2), TEA, 1, costo_unitario=2, impuesto=Decimal(rate))
    assert run(taxed) == []
    rows = taxed.olap_rows("SELECT id_movimiento, motivo, impuesto FROM dw.v_rechazos")
    assert [(row["id_movimiento"], row["motivo"]) for row in rows] == [(sale, reason)]
    assert "impuesto" in taxed.command("rejects").stdout.splitlines()[0]
    taxed.correct_line(sale, impuesto=Decimal("0.9999994"))
    assert run(taxed, 1) == [six(118, 0.999999)]


def test_what_is_closed_keeps_its_rate_and_is_taken_back_with_it(taxed: Shop):
    rated = sell(taxed, 2, 118, impuesto=RATE, id_sucursal=None)
    within = sell(taxed, 3, 118)
    run(taxed)
    closing = datetime(2025, 8, 31, tzinfo=UTC)
    books = close(replay_shop(taxed, INITIAL, limit=closing), closing)
    taxed.succeed("close", "2025-08-30")
    taxed.correct_line(rated, impuesto=Decimal("0.5"))
    taxed.correct_line(within, precio_con_impuesto=False)
    # Neither the policy nor the setting of today is that of what is closed.
    taxed.olap.cursor().execute("UPDATE dw.politica_precio SET impuesto = 0.3 WHERE desde IS NULL")
    taxed.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    net = {"prices_include_tax": False, "books": books}
    booked = six(118, 0) - 100 + 118 - six(118, 0.1)
    assert run(taxed, 1, **net) == [100, six(118, 0.1), booked]
    effects = taxed.olap_rows(
        "SELECT cambio, efecto_venta_neta AS neta FROM dw.v_correcciones ORDER BY id_movimiento"
    )
    assert [row["neta"] for row in effects] == [six(118, 0) - 100, 118 - six(118, 0.1)]
    assert {row["cambio"] for row in effects} == {"impuesto"}
    taxed.correct_line(rated, impuesto=RATE)
    taxed.correct_line(within, precio_con_impuesto=None)
    assert run(taxed, 2, **net) == [100, six(118, 0.1)]
    assert date(2025, 8, 30) in [r["dia"] for r in taxed.olap_rows("SELECT dia FROM dw.cierre")]
    taxed.succeed("close", "--reopen", "2025-08-30", "--reason", "una prueba")
    assert run(taxed, 3, prices_include_tax=False) == [118, 118]


def test_what_is_closed_is_taken_back_as_its_type_was_then(taxed: Shop):
    """A type that needs a price no more, or counts no more, leaves what a reversal says of it."""
    rated = sell(taxed, 2, 118, impuesto=RATE, precio_con_impuesto=True)
    counted = taxed.movement("CONTEO", day(4), TEA, 48)
    run(taxed)
    taxed.succeed("close", "2025-08-30")
    cursor = taxed.olap.cursor()
    cursor.execute("UPDATE dw.tipo_movimiento SET precio = false WHERE tipo = 'VENTA'")
    cursor.execute(
        "UPDATE dw.tipo_movimiento SET (regla, orden) = ('recibir', 0) WHERE tipo = 'CONTEO'"
    )
    for movement in (rated, counted):
        taxed.correct_line(movement, cantidad=2)
    taxed.run_in_process(as_of=END + timedelta(hours=1))
    pairs = taxed.olap_rows(
        "SELECT k.impuesto, k.precio_con_impuesto, k.de_todo FROM dw.kardex AS k"
        " WHERE k.capa < 2 AND k.id_movimiento IN (%s, %s) ORDER BY k.id_movimiento, k.capa",
        rated,
        counted,
    )
    assert [tuple(row.values()) for row in pairs] == [(RATE, True, None)] * 2 + [
        (None, None, True)
    ] * 2
    done = taxed.command("verify", "--all")
    assert done.returncode == 0, done.stdout
    # Read once more, the reversal is the one that is there.
    before = taxed.olap_rows("SELECT version FROM dw.kardex WHERE reverso")
    taxed.succeed("rebuild")
    assert taxed.olap_rows("SELECT version FROM dw.kardex WHERE reverso") == before


def test_doctor_asks_whether_prices_are_net(taxed: Shop):
    def told() -> str:
        found = json.loads(taxed.command("doctor", "--json").stdout)["findings"]
        (line,) = (finding for finding in found if finding["what"] == "tax of prices")
        return f"{line['state']} {line['found']}"

    rated = sell(taxed, 2, 118)
    run(taxed)
    assert told().startswith("warning ETL_PRICES_INCLUDE_TAX is true, and no line of")
    assert "up to 25 %" in told()
    # One line says so, or the setting, or nothing is taken off: it is asked no more.
    taxed.correct_line(rated, precio_con_impuesto=True)
    run(taxed, 1)
    assert told() == "ok taken off where it is within"
    taxed.correct_line(rated, precio_con_impuesto=None)
    run(taxed, 2)
    assert told().startswith("warning")
    taxed.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    assert told() == "ok taken off where it is within"
    del taxed.env["ETL_PRICES_INCLUDE_TAX"]
    taxed.olap.cursor().execute("UPDATE dw.politica_precio SET impuesto = 0")
    assert told() == "ok taken off where it is within"
