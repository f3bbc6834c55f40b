"""What must stop a replay of late documents, or have it done again, instead of a wrong cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

END = datetime(2026, 10, 17, 17, tzinfo=UTC)
INITIAL = END - timedelta(days=40)

# As if somebody had changed the first row between its valuation and its update, once.
MOVED_ONCE = """
CREATE SEQUENCE public.veces;
GRANT USAGE ON SEQUENCE public.veces TO PUBLIC;
ALTER FUNCTION etl.repetir(bigint, numeric) RENAME TO repetir_bien;
CREATE FUNCTION etl.repetir(p_numero bigint, p_factor numeric) RETURNS void LANGUAGE sql AS $$
SELECT etl.repetir_bien(p_numero, p_factor);
UPDATE etl.repeticion SET ctid_kardex = '(4294967294,1)'
WHERE NOT es_alta AND nextval('public.veces') = 1;
$$
"""
YIELDS_NOTHING = """
CREATE OR REPLACE FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric)
RETURNS dw.estado LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(NULL, NULL, NULL, NULL, NULL)::dw.estado $$
"""


@pytest.fixture
def trading(shop: Shop) -> Shop:
    """A shop with a receipt, another one, and sales, loaded up to END."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    shop.product(1)
    for day, cost in ((1, 5), (3, 6)):
        shop.receipt(INITIAL + timedelta(days=day), (1, 10, cost))
    for day in (5, 6, 7):
        shop.sale(INITIAL + timedelta(days=day), (1, 2, 9))
    shop.run_in_process(as_of=END)
    return shop


def test_a_row_that_moved_meanwhile_has_the_load_done_again(trading: Shop):
    with trading.olap.cursor() as cursor:
        cursor.execute(MOVED_ONCE)
    trading.receipt(INITIAL + timedelta(days=2), (1, 10, 8))
    trading.run_in_process(as_of=END + timedelta(hours=1))
    (drawn,) = trading.olap_rows("SELECT last_value FROM public.veces")
    # Four rows follow the receipt; they were valued twice.
    assert drawn == {"last_value": 8}
    assert_olap_equals_replay(trading, INITIAL)


def test_what_only_grows_is_valued_beside_what_is_replayed(trading: Shop):
    trading.product(2)
    trading.receipt(INITIAL + timedelta(days=2), (1, 10, 8))
    trading.receipt(END, (2, 4, 3))
    trading.run_in_process(as_of=END + timedelta(hours=1))
    assert_olap_equals_replay(trading, INITIAL)
    trading.sale(END + timedelta(minutes=70), (1, 1, 9), (2, 1, 9))
    trading.run_in_process(as_of=END + timedelta(hours=2))
    assert_olap_equals_replay(trading, INITIAL)


def test_a_rule_that_yields_nothing_stops_the_window(trading: Shop):
    ledger = "SELECT * FROM dw.kardex ORDER BY id_movimiento"
    before = trading.olap_rows(ledger)
    with trading.olap.cursor() as cursor:
        cursor.execute(YIELDS_NOTHING)
    trading.correct_document(1, anulada=True)
    done = trading.run_due()
    assert done.returncode == 30
    assert "null value in column" in done.stdout
    assert trading.olap_rows(ledger) == before
