"""History whose place another takes: the guard holds it, asks for the likely cause, lets it by."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fault_shop import days_ago, loaded, olap_tables, run_quickly, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from test_guards import SHIPPED, held, new_year, returned

# The guard counts and compares; what it counts is tried on both elsewhere.
pytestmark = pytest.mark.one_postgres

YEAR = 1_000_000_000_000
UNIQUE = "make ids unique in movimientos.sql (year * 1000000000000 + id)"
PURGED = "DELETE FROM detalle_transaccion WHERE id_detalle < 50"
LINES = "d.id_detalle AS id_movimiento"


def of_its_own(shop: Shop) -> Path:
    """The shop's queries in a folder of its own; that of the movements."""
    folder = shop.folder / "consultas"
    folder.mkdir()
    for path in SHIPPED.glob("[mps]*s.sql"):
        (folder / path.name).write_text(path.read_text())
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    return folder / "movimientos.sql"


def edited(shop: Shop, old: str, new: str) -> None:
    """Another text of the query."""
    query = Path(shop.env["ETL_OLTP_SQL_DIR"]) / "movimientos.sql"
    text = query.read_text()
    assert old in text
    query.write_text(text.replace(old, new))


def another_year(shop: Shop) -> None:
    new_year(shop, 66)


def merged(shop: Shop) -> None:
    shop.till("UPDATE detalle_transaccion SET id_producto = 2 WHERE id_producto = 1")
    shop.till("UPDATE detalle_transaccion SET id_producto = 4 WHERE id_producto = 3")


def dated_anew(shop: Shop) -> None:
    shop.till("UPDATE transacciones SET fecha = fecha + interval '25 hours'")


def purged(shop: Shop) -> None:
    shop.till(PURGED)
    shop.till("VACUUM FULL detalle_transaccion")


def narrowed(shop: Shop) -> None:
    edited(shop, "t.tipo,", "lower(t.tipo) AS tipo,")


def made_unique(shop: Shop) -> None:
    edited(shop, LINES, f"2026 * {YEAR} + {LINES}")


# What befalls the shop; how many are removed and replaced; what is asked, in both languages.
CAUSES: dict[str, tuple[Callable[[Shop], None], str, str, str]] = {
    "ids that begin anew": (
        another_year,
        "0 would be removed and 66 replaced",
        f"do ids begin anew? correct OLTP_DB_*; or, after TRUNCATE ... RESTART IDENTITY or with "
        f"a new year's tables, {UNIQUE}",
        "o los ids empiezan de nuevo? corrija OLTP_DB_*; o, tras un TRUNCATE",
    ),
    "a merge of products": (
        merged,
        "0 would be removed and 33 replaced",
        "33 of those replaced keep their date, or all but their date: were they corrected, were "
        "products merged or dw.tipo_movimiento edited, or do ids begin anew?",
        "33 de los que se reemplazarían conservan su fecha",
    ),
    "dates": (
        dated_anew,
        "0 would be removed and 66 replaced",
        f"products merged or dw.tipo_movimiento edited, or do ids begin anew? put them right, or "
        f"{UNIQUE}",
        "66 de los que se reemplazarían conservan su fecha",
    ),
    "a purge": (
        purged,
        "49 would be removed and 0 replaced",
        "were they deleted or archived, or does an edited query or dw.tipo_movimiento leave them",
        "¿se borraron o se archivaron, o los deja fuera una consulta editada",
    ),
    "a query that leaves out": (
        narrowed,
        "66 would be removed and 0 replaced",
        "does an edited query or dw.tipo_movimiento leave them out? put them back, or correct that",
        "o corrija eso; o si está bien",
    ),
    "a query that makes ids unique": (
        made_unique,
        "66 would be removed and 0 replaced",
        "66 of those removed come again with other ids: does movimientos.sql make ids in another "
        "way? if it should not, correct it; or if it is right",
        "66 de los que se quitarían vuelven con otros ids: ¿movimientos.sql forma",
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_likely_cause_is_asked_and_lets_it_by_once(shop: Shop, cause: str):
    befalls, counted, asked, asked_in_spanish = CAUSES[cause]
    of_its_own(shop)
    initial = loaded(shop)
    stocks = shop.olap_rows("SELECT * FROM dw.inventario ORDER BY id_producto")
    befalls(shop)
    before = olap_tables(shop)
    plan = shop.command("plan")
    assert plan.returncode == 1 and counted in plan.stdout and asked in plan.stdout, plan.stdout
    spanish = shop.command("plan", ETL_LANG="es")
    assert spanish.returncode == 1 and asked_in_spanish in spanish.stdout, spanish.stdout
    assert olap_tables(shop) == before
    said = held(shop, counted, asked)
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    shop.run("--accept-source", accept)
    if befalls is made_unique:
        kept = "id_producto, existencias, valor, costo_promedio, precio_sugerido"
        (moved,) = shop.olap_rows("SELECT min(id_movimiento), count(*) FROM dw.kardex")
        assert moved == {"min": 2026 * YEAR + 1, "count": 66}
        assert [{name: row[name] for name in kept.split(", ")} for row in stocks] == shop.olap_rows(
            f"SELECT {kept} FROM dw.inventario ORDER BY id_producto"
        )
        shop.succeed("verify")
    elif befalls is narrowed:
        assert not shop.olap_rows("SELECT FROM dw.kardex")
    else:
        assert_olap_equals_replay(shop, initial)
    # Once: the same again is asked again.
    assert shop.olap_rows("SELECT aceptar_fuente FROM etl.control") == [{"aceptar_fuente": None}]
    shop.succeed("plan")


def test_types_that_are_edited_are_a_cause(shop: Shop):
    """Negative sales were returns: they would leave, and wait as rejects."""
    returned(shop, "VENTA", sales=60)
    shop.olap.cursor().execute(
        "UPDATE dw.tipo_movimiento SET tipo_si_negativa = NULL WHERE tipo = 'VENTA'"
    )
    said = held(shop, "25 replaced", "25 of those replaced keep", "or dw.tipo_movimiento edited")
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    shop.run("--accept-source", accept, ETL_MAX_REJECT_SHARE="1")
    assert len(shop.olap_rows("SELECT FROM etl.rechazo")) == 25


def a_year_of_sales(shop: Shop, documents: int, days: int) -> None:
    """So many lines of one product, all alike but for their dates, from so many days ago on."""
    for number in range(documents):
        shop.sale(days_ago(days) + timedelta(hours=number), (1, 1, 10))


def test_the_next_year_is_told_by_its_dates_alone(shop: Shop):
    """One product, always one unit at one price: a year has the next one's numbers."""
    shop.env["ETL_INITIAL_SINCE"] = days_ago(420).date().isoformat()
    shop.product(1)
    a_year_of_sales(shop, 400, 400)
    run_quickly(shop)
    shop.till("TRUNCATE transacciones, detalle_transaccion RESTART IDENTITY")
    a_year_of_sales(shop, 390, 20)
    held(shop, "10 would be removed and 390 replaced", "do ids begin anew?", UNIQUE)
    assert shop.command("plan").returncode == 1


def dates_of_another_zone(shop: Shop) -> None:
    shop.till(
        "ALTER TABLE transacciones ALTER fecha TYPE timestamp"
        " USING fecha AT TIME ZONE 'America/Lima'"
    )


def a_few_dates(shop: Shop) -> None:
    shop.till(
        "UPDATE transacciones SET fecha = fecha + interval '3 days' WHERE id_transaccion < 20"
    )
    shop.till("VACUUM FULL detalle_transaccion")


def many_amounts(shop: Shop) -> None:
    shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")
    shop.till("VACUUM FULL detalle_transaccion")


@pytest.mark.parametrize("correct", [dates_of_another_zone, a_few_dates, many_amounts])
def test_what_is_corrected_in_a_full_read_needs_no_leave(
    shop: Shop, correct: Callable[[Shop], None]
):
    initial = loaded(shop)
    correct(shop)
    settle(shop, initial)
    (run,) = shop.olap_rows("SELECT * FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    assert run["imagen_completa"] and run["cambiadas"] >= 15, run


def test_a_shop_of_ten_rows_is_below_the_guard(shop: Shop):
    initial = stock(shop, sales=4)
    settle(shop, initial)
    new_year(shop, 10)
    settle(shop, initial)


def test_two_years_tables_with_the_same_ids_say_how_they_are_made_unique(shop: Shop):
    of_its_own(shop)
    stock(shop)
    run_quickly(shop)
    shop.till("CREATE TABLE detalle_2025 AS TABLE detalle_transaccion")
    shop.till(f'GRANT SELECT ON detalle_2025 TO "{shop.env["OLTP_DB_USER"]}"')
    whole = (Path(shop.env["ETL_OLTP_SQL_DIR"]) / "movimientos.sql").read_text()
    of_2025 = whole.replace("public.detalle_transaccion", "public.detalle_2025")
    edited(shop, whole, f"{whole}UNION ALL\n{of_2025}")
    assert "make ids unique where tables have the same (year * 1000000000000 + id)" in held(shop)
    edited(shop, of_2025, of_2025.replace(LINES, f"2025 * {YEAR} + {LINES}"))
    run_quickly(shop)
    assert shop.olap_rows("SELECT FROM dw.kardex WHERE id_movimiento > 2025000000000000")
