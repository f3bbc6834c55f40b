"""existencias.sql: the shop's own stock beside ours, both of one snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from levels_shop import (
    BY_BRANCH,
    CHEESE,
    DAY,
    INITIAL,
    MILK,
    SCREWS,
    WHOLE,
    levels,
    run,
    set_levels,
    stock,
)
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from shop_words import own_words

from pipeline.run import extract

pytestmark = pytest.mark.one_postgres

STOCK = "SELECT existencias FROM dw.inventario ORDER BY id_producto"
SEEN = (
    "SELECT id_producto, id_sucursal, nuestras, tienda, diferencia, valor, desde"
    " FROM dw.v_diferencias_existencias ORDER BY id_producto, id_sucursal"
)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """A shop with 6 of milk and 3 screws: see stock()."""
    stock(shop)
    return shop


def seen(shop: Shop) -> list[tuple[Any, ...]]:
    """What the view shows."""
    return [tuple(row.values()) for row in shop.olap_rows(SEEN)]


def test_what_differs_is_shown_since_the_window_that_saw_it_first(stocked: Shop):
    levels(stocked, WHOLE, (MILK, None, 6), (SCREWS, None, 3))
    run(stocked, 0)
    assert seen(stocked) == []
    set_levels(stocked, [(MILK, None, 5), (SCREWS, None, "3.5")])
    first = run(stocked, 1)
    milk = (MILK, None, 6, 5, -1, -5, first)
    assert seen(stocked) == [milk, (SCREWS, None, 3, Decimal("3.5"), Decimal("0.5"), 1, first)]
    # A document that both know moves both, however late it is typed.
    stocked.sale(INITIAL + 3 * DAY, (MILK, 1, 9))
    set_levels(stocked, [(MILK, None, 4), (SCREWS, None, 3)])
    run(stocked, 2)
    assert seen(stocked) == [(MILK, None, 5, 4, -1, -5, first)]
    assert_olap_equals_replay(stocked, INITIAL)
    set_levels(stocked, [(MILK, None, 5), (SCREWS, None, 3)])
    run(stocked, 3)
    assert seen(stocked) == []


def test_a_product_that_only_one_side_knows_is_in_it(stocked: Shop):
    levels(stocked, WHOLE, (SCREWS, None, 3), (CHEESE, None, 2), (99, None, 7))
    end = run(stocked, 0)
    assert seen(stocked) == [
        (MILK, None, 6, None, -6, -30, end),
        (CHEESE, None, 0, 2, 2, 0, end),
        (99, None, 0, 7, 7, 0, end),
    ]


def test_by_branch_where_the_shop_tells_it_so(stocked: Shop):
    levels(stocked, BY_BRANCH, (MILK, 1, 3), (MILK, 0, 2), (MILK, 7, 1), (SCREWS, None, 3))
    end = run(stocked, 0)
    assert seen(stocked) == [(MILK, 1, 4, 3, -1, -5, end), (MILK, 7, 0, 1, 1, 5, end)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(MILK, None, 1), (MILK, None, 2)], "yields product 1 2 times"),
        ([(MILK, 1, 1), (MILK, 1, 1)], "yields product 1 of branch 1 2 times"),
        ([(MILK, 1, 1), (MILK, None, 1)], "yields product 1 by branch and as a whole"),
        ([(None, 1, 1)], "yields rows without id_producto"),
    ],
)
def test_rows_that_contradict_each_other_stop_the_window(stocked: Shop, rows: list[Any], said: str):
    levels(stocked, BY_BRANCH, *rows)
    done = stocked.run_due()
    assert done.returncode == 30
    (line,) = [line for line in done.stdout.splitlines() if " ERROR: " in line]
    assert f"existencias.sql {said}" in line
    assert not stocked.olap_rows("SELECT FROM dw.kardex")


def test_what_is_no_number_is_not_known(stocked: Shop):
    levels(stocked, WHOLE, (MILK, None, "NaN"), (SCREWS, None, None))
    end = run(stocked, 0)
    # As a shop without the query, since not one of its figures is known.
    assert seen(stocked) == []
    set_levels(stocked, [(MILK, None, "NaN"), (SCREWS, None, 3)])
    end = run(stocked, 1)
    assert seen(stocked) == [(MILK, None, 6, None, -6, -30, end)]


def test_with_versions_only_what_changed_is_read_and_all_of_it_once_a_day(stocked: Shop):
    versions = f"{WHOLE.replace(' FROM', ', xmin AS version_1 FROM')}"
    levels(stocked, versions, (MILK, None, 6), (SCREWS, None, 3))

    def read() -> int:
        (row,) = stocked.olap_rows(
            "SELECT desde, hasta FROM etl.corrida ORDER BY numero DESC LIMIT 1"
        )
        from pipeline.state import window as windows
        from pipeline.state.targets import DurableTarget
        from pipeline.state.window import Window

        state = Path(stocked.env["ETL_STATE_DIR"])
        receipt = windows.extract_receipt(state, Window(row["desde"], row["hasta"]))
        return int(DurableTarget(str(receipt)).read_receipt()["archivos"]["levels.csv"]["rows"])

    now = datetime.now(UTC).replace(microsecond=0)
    stocked.run_in_process(as_of=now - timedelta(seconds=9))
    assert read() == 2
    stocked.till("UPDATE niveles SET cantidad = 2 WHERE id_producto = %s", SCREWS)
    stocked.run_in_process(as_of=now - timedelta(seconds=8))
    assert (read(), [row[:4] for row in seen(stocked)]) == (1, [(SCREWS, None, 3, 2)])
    # What the ledger alone changes is compared with what was read before.
    stocked.sale(INITIAL + 4 * DAY, (MILK, 1, 9))
    stocked.run_in_process(as_of=now - timedelta(seconds=7))
    assert [row[:4] for row in seen(stocked)] == [(MILK, None, 5, 6), (SCREWS, None, 3, 2)]
    stocked.till("DELETE FROM niveles WHERE id_producto = %s", SCREWS)
    stocked.run_in_process(as_of=now - timedelta(seconds=6))
    assert [row[3] for row in seen(stocked)] == [6, 2]
    stocked.olap.cursor().execute(
        "UPDATE etl.control SET existencias_enteras = existencias_enteras - interval '2 days'"
    )
    stocked.run_in_process(as_of=now - timedelta(seconds=5))
    assert [row[3] for row in seen(stocked)] == [6, None]


def test_with_versions_too_what_is_no_number_any_more_is_not_known(stocked: Shop):
    versions = f"{WHOLE.replace(' FROM', ', xmin AS version_1 FROM')}"
    levels(stocked, versions, (MILK, None, 6), (SCREWS, None, 3))
    now = datetime.now(UTC).replace(microsecond=0)
    stocked.run_in_process(as_of=now - timedelta(seconds=9))
    stocked.till("UPDATE niveles SET cantidad = NULL WHERE id_producto = %s", SCREWS)
    stocked.run_in_process(as_of=now - timedelta(seconds=8))
    assert [row[:4] for row in seen(stocked)] == [(SCREWS, None, 3, None)]


def test_both_are_of_one_snapshot(stocked: Shop, monkeypatch: pytest.MonkeyPatch):
    levels(stocked, WHOLE, (MILK, None, 6), (SCREWS, None, 3))
    real = extract._read_levels

    def once_more_is_sold(*arguments: Any) -> Any:
        stocked.sale(INITIAL + 3 * DAY, (MILK, 1, 9))
        set_levels(stocked, [(MILK, None, 5), (SCREWS, None, 3)])
        monkeypatch.undo()
        return real(*arguments)

    monkeypatch.setattr(extract, "_read_levels", once_more_is_sold)
    run(stocked, 0)
    assert seen(stocked) == []
    run(stocked, 1)
    assert seen(stocked) == []
    assert [row["existencias"] for row in stocked.olap_rows(STOCK)] == [5, 3]


def test_an_opening_is_compared_at_once(stocked: Shop):
    levels(stocked, WHOLE, (MILK, None, 6), (SCREWS, None, 13))
    run(stocked, 0)
    assert [row[4] for row in seen(stocked)] == [10]
    file = stocked.folder / "opening.csv"
    file.write_text(f"id_producto,existencias,costo_promedio\n{SCREWS},10,2\n")
    stocked.succeed("opening", str(file))
    assert seen(stocked) == []


def test_a_query_that_is_taken_away_leaves_nothing(stocked: Shop):
    path = levels(stocked, WHOLE, (MILK, None, 60))
    run(stocked, 0)
    assert len(seen(stocked)) == 2
    path.unlink()
    run(stocked, 1)
    assert seen(stocked) == []
    assert not stocked.olap_rows("SELECT FROM dw.existencias_tienda")


@pytest.mark.parametrize("versions", [False, True])
def test_what_is_no_stock_is_not_compared(stocked: Shop, versions: bool):
    query = WHOLE.replace(" FROM", ", xmin AS version_1 FROM") if versions else WHOLE
    # Screws have moved; cheese never did, and only the shop has any.
    levels(stocked, query, (MILK, None, 6), (SCREWS, None, 8), (CHEESE, None, 2))
    own_words(stocked)
    now = datetime.now(UTC).replace(microsecond=0)

    def differing(seconds: int, stock: bool | None) -> list[int]:
        stocked.till("UPDATE productos SET inventariable = %s WHERE id_producto > %s", stock, MILK)
        stocked.run_in_process(as_of=now - timedelta(seconds=seconds))
        return [row[0] for row in seen(stocked)]

    assert differing(9, None) == [SCREWS, CHEESE]
    # What the shop keeps for it is not looked at, and neither is what we do.
    assert differing(8, stock=False) == []
    assert differing(7, stock=True) == [SCREWS, CHEESE]
    # One that is deleted says no more that it has none.
    assert differing(6, stock=False) == []
    stocked.till("DELETE FROM productos WHERE id_producto = %s", CHEESE)
    assert differing(5, stock=False) == [CHEESE]
    assert_olap_equals_replay(stocked, INITIAL)


def test_a_product_is_told_as_a_whole_now_and_by_branch_no_more(stocked: Shop):
    """With versions, where a window reads what is new alone."""
    query = BY_BRANCH.replace(" FROM", ", xmin AS version_1 FROM")
    levels(stocked, query, (MILK, 1, 4), (MILK, 0, 2), (SCREWS, None, 3))
    run(stocked, 0)
    stocked.till("DELETE FROM niveles WHERE id_producto = %s", MILK)
    stocked.till("INSERT INTO niveles VALUES (%s, NULL, 6)", MILK)
    run(stocked, 1)
    assert seen(stocked) == []
    stocked.till("DELETE FROM niveles WHERE id_producto = %s", MILK)
    stocked.till("INSERT INTO niveles VALUES (%s, 1, 4), (%s, 0, 2)", MILK, MILK)
    run(stocked, 2)
    assert seen(stocked) == []
