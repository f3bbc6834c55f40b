"""A small shop with a past, what its OLAP holds in full, and a settling run that must be right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from olap_comparison import assert_olap_equals_replay
from oracle_rows import Replay
from psycopg2 import sql
from shop_database import Shop

PRODUCTS = (1, 2, 3, 4)
DAYS = 20
# Materialized views of the shop's own: a run refreshes those alone.
OWN = tuple(f"dw.mv_propia_{number}" for number in range(1, 5))


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def days_ago(days: float) -> datetime:
    """A moment that many days back."""
    return now() - timedelta(days=days)


def stock(shop: Shop, sales: int = 60) -> datetime:
    """A catalogue, receipts and sales of the last days; returns the initial date, set in env.

    And views of the shop's own, which must show what is loaded after each run that succeeds.
    """
    with shop.olap.cursor() as cursor:
        for view in OWN:
            cursor.execute(f"CREATE MATERIALIZED VIEW {view} AS TABLE dw.inventario")
            cursor.execute(f"CREATE UNIQUE INDEX ON {view} (id_producto)")
    initial = days_ago(DAYS).replace(hour=0, minute=0, second=0, microsecond=0)
    shop.env["ETL_INITIAL_SINCE"] = initial.date().isoformat()
    shop.branch(1)
    for product in PRODUCTS:
        shop.product(product, categoria="AB"[product % 2])
        shop.receipt(initial + timedelta(hours=product), (product, 100, Decimal("1.37") * product))
    step = timedelta(days=DAYS - 1) / sales
    for number in range(sales):
        fecha = initial + timedelta(hours=12) + number * step
        product = PRODUCTS[number % len(PRODUCTS)]
        shop.sale(fecha, (product, number % 5 + 1, Decimal("9.99")), id_sucursal=number % 2 or None)
    shop.receipt(days_ago(1), (1, 7, Decimal("1.61")), (2, 9, Decimal("2.03")))
    return initial


def loaded(shop: Shop) -> datetime:
    """The same shop with an OLAP that has all of it; returns the initial date."""
    initial = stock(shop)
    settle(shop, initial)
    return initial


def with_late_and_bad(shop: Shop) -> datetime:
    """A loaded shop whose next window has something of everything."""
    initial = loaded(shop)
    late_and_bad(shop, initial)
    return initial


def run_quickly(shop: Shop) -> None:
    """A run that must succeed, in this process, and up to the second after the last window.

    So it need not wait for the clock: what is read does not depend on the window's end.
    """
    (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
    last = control["hasta"] or datetime.fromisoformat(
        f"{shop.env['ETL_INITIAL_SINCE']}T00:00:00+00:00"
    )
    shop.run_in_process(as_of=last + timedelta(seconds=1))


def settle(shop: Shop, initial: datetime, **rules: Any) -> Replay:
    """Runs that must succeed, and leave the OLAP as the replay of the OLTP.

    One more where a window is unfinished, since that one may have been read earlier.
    """
    if any(not (folder / "marker.json").exists() for folder in window_folders(shop)):
        run_quickly(shop)
    run_quickly(shop)
    assert stale(shop) == []
    return assert_olap_equals_replay(shop, initial, **rules)


def stale(shop: Shop) -> list[str]:
    """Materialized views of the shop that do not show what their own query yields now."""
    found = []
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "SELECT matviewname, rtrim(definition, ';') FROM pg_matviews WHERE schemaname = 'dw'"
        )
        for name, query in cursor.fetchall():
            view = sql.Identifier("dw", name)
            differ = sql.SQL("(TABLE {v} EXCEPT ALL ({q})) UNION ALL (({q}) EXCEPT ALL TABLE {v})")
            cursor.execute(differ.format(v=view, q=sql.SQL(query.replace("%", "%%"))))
            if cursor.fetchall():
                found.append(name)
    return found


def window_folders(shop: Shop) -> list[Path]:
    """The folders of windows in the state folder, oldest first, without those set aside."""
    folders = Path(shop.env["ETL_STATE_DIR"]).glob("*Z--*Z")
    return sorted(folder for folder in folders if ".set-aside" not in folder.name)


def assert_chain(shop: Shop) -> int:
    """Each window begins where the last one ended, at the control's end; returns how many."""
    rows = shop.olap_rows("SELECT desde, hasta FROM etl.corrida ORDER BY numero")
    for earlier, later in pairwise(rows):
        assert later["desde"] == earlier["hasta"], f"{earlier} is not followed by {later}"
    (control,) = shop.olap_rows("SELECT hasta, corridas FROM etl.control")
    assert not rows or rows[-1]["hasta"] == control["hasta"]
    return len(rows)


def olap_tables(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and materialized view of the OLAP, to see that nothing changed."""
    cursor = shop.olap.cursor()
    cursor.execute(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('etl', 'dw') AND (c.relkind = 'r' OR c.relkind = 'm'"
        " AND c.relispopulated) ORDER BY 1"
    )
    tables = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1")
        tables[table] = cursor.fetchall()
    assert tables["etl.control"], "the OLAP is not initialised"
    return tables


def state_files(shop: Shop) -> dict[str, bytes]:
    """Every file of the state folder but the locks."""
    state = shop.folder / "state"
    return {
        str(path.relative_to(state)): path.read_bytes()
        for path in sorted(state.rglob("*"))
        if path.is_file() and not path.name.endswith("lock")
    }


def divide_lines(shop: Shop, border: int) -> None:
    """The shop's lines in partitions by number: what is there, and all below the border, in one."""
    for statement in (
        "CREATE SEQUENCE renglon START 100",
        "ALTER TABLE detalle_transaccion RENAME TO renglones_1",
        "CREATE TABLE detalle_transaccion (LIKE renglones_1 INCLUDING DEFAULTS)"
        " PARTITION BY RANGE (id_detalle)",
        "ALTER TABLE renglones_1 ALTER id_detalle DROP IDENTITY IF EXISTS",
        "ALTER TABLE detalle_transaccion ALTER id_detalle SET DEFAULT nextval('renglon')",
        "ALTER TABLE detalle_transaccion"
        f" ATTACH PARTITION renglones_1 FOR VALUES FROM (0) TO ({border})",
    ):
        shop.till(statement)


def late_and_bad(shop: Shop, initial: datetime) -> None:
    """A window with something of everything."""
    shop.receipt(initial + timedelta(hours=20), (1, 10, Decimal("2.11")), (2, 3, 1))
    shop.sale(now(), (3, 2, 5), (4, 1, 5), (99, 1, 5))
    shop.sale(initial - timedelta(days=3), (1, 1, 5))
    shop.sale(now(), (1, -1, 5))
    shop.correct_line(10, cantidad=9)
    shop.correct_document(11, anulada=True)
    shop.correct_line(12, id_producto=1)
