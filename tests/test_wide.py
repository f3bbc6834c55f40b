"""A wide shop: no statement of a load or of verify is quadratic, whatever statistics say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

from bench.place import read_bench_sql

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS, ROWS, DAYS = 1_500, 5_000, 120
# What a statement of ours may visit at most in one of its plan's nodes. A loop over two of the
# tables visits millions; three visits of each product, each branch and each day are none.
LIMIT = 30 * ROWS

# Each statement as it was executed, those inside functions too, into the server's log.
EXPLAINED = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
}

# Every table of ours is said to be empty, on pages that it has.
EMPTY = """
UPDATE pg_class SET reltuples = 0, relpages = greatest(relpages, 1)
WHERE relkind = 'r' AND relnamespace IN ('dw'::regnamespace, 'etl'::regnamespace)
"""
STATISTICS = {
    "none": ("", "DELETE FROM pg_statistic"),
    "fresh": ("", "ANALYZE"),
    "of an empty OLAP": ("ANALYZE", ""),
    "said to be empty": ("", f"ANALYZE; {EMPTY}"),
}


@pytest.fixture
def wide(shop: Shop) -> Iterator[Shop]:
    """Products of sixty categories, and movements of some months that nothing has loaded yet."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for branch in (1, 2, 3):
        shop.branch(branch)
    shop.till(
        "INSERT INTO productos (id_producto, codigo, nombre, categoria)"
        " SELECT n, 'P' || n, 'Producto ' || n, 'Categoría ' || n %% 60"
        " FROM generate_series(1, %s) AS g (n)",
        PRODUCTS,
    )
    values = {"start": BEGINNING, "days": DAYS, "products": PRODUCTS}
    with shop.oltp.cursor() as cursor:
        cursor.execute(read_bench_sql("generar.sql"), {"first": 1, "last": ROWS, **values})
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('transacciones', 'id_transaccion'), 1000000000)"
        )
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('detalle_transaccion', 'id_detalle'), 1000000000)"
        )
    yield shop


def visited(log: str) -> list[tuple[int, str, str]]:
    """Of every node of every plan in a server's log: rows visited, the node, its statement."""
    found = []
    for text in re.findall(r"plan:\n(\t\{.*?\n\t\})", log, re.DOTALL):
        plan = json.loads(text)
        found += [(rows, node, plan["Query Text"]) for rows, node in nodes(plan["Plan"])]
    return sorted(found, reverse=True)


def nodes(plan: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """How many rows each node has looked at, those that it passed over too."""
    removed = sum(rows for name, rows in plan.items() if name.startswith("Rows Removed"))
    yield round((plan["Actual Rows"] + removed) * plan["Actual Loops"]), label(plan)
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def label(plan: dict[str, Any]) -> str:
    """A node, and of what table."""
    return " ".join(plan[key] for key in ("Node Type", "Relation Name", "Alias") if key in plan)


def work_of(shop: Shop, action: Any) -> tuple[int, str, str]:
    """The node that has visited most in what an action does to the OLAP."""
    log: Path = shop.server.server.log
    begin = log.stat().st_size
    for name, value in EXPLAINED.items():
        shop.server.execute(f"ALTER DATABASE {{name}} SET {name} = '{value}'", name=shop.olap_name)
    action()
    for name in EXPLAINED:
        shop.server.execute(f"ALTER DATABASE {{name}} RESET {name}", name=shop.olap_name)
    found = visited(log.read_bytes()[begin:].decode())
    assert len(found) > 10, "the server's log tells no plans"
    return found[0]


def tell(shop: Shop, statements: str) -> None:
    """Statistics as somebody else takes them."""
    with shop.olap.cursor() as cursor:
        for statement in filter(None, statements.split("; ")):
            cursor.execute(statement)


@pytest.mark.parametrize("statistics", STATISTICS)
def test_every_statement_of_a_load_is_linear(wide: Shop, statistics: str):
    before, after = STATISTICS[statistics]
    # More is corrected in a night than a shop would without asking.
    wide.env["ETL_MAX_REMOVED_SHARE"] = "1"
    tell(wide, before)
    assert work_of(wide, wide.run)[0] < LIMIT
    tell(wide, after)
    # Every product moves, many movements are corrected, voided, or wait for a product; and again,
    # so that statistics of the first night meet the second.
    for night in (1, 2):
        wide.till(
            "UPDATE productos SET nombre = nombre || %s,"
            " categoria = 'Otra ' || (id_producto + %s) %% 60",
            str(night),
            night,
        )
        wide.till(
            "UPDATE detalle_transaccion SET cantidad = cantidad + 1 WHERE id_detalle %% 3 = %s",
            night,
        )
        wide.till("UPDATE transacciones SET anulada = true WHERE id_transaccion %% 30 = %s", night)
        most = work_of(wide, wide.run)
        assert most[0] < LIMIT, most
        tell(wide, after)
    assert_olap_equals_replay(wide, BEGINNING)
    for command in (["verify"], ["rebuild"]):
        most = work_of(wide, lambda command=command: wide.succeed(*command))
        assert most[0] < LIMIT, most
