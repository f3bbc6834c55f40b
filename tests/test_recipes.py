"""Recipes: queries that are shipped for another system, and the versions that they are for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from shop_database import Shop
from shop_server import REPOSITORY
from system_tables import TRYTON, tables_of
from test_doctor import doctor
from test_failures import stock

pytestmark = pytest.mark.one_postgres

RECIPES = REPOSITORY / "sql" / "oltp" / "recetas"
VERSION = "SELECT 'Till' AS sistema, v.numero AS version, '{tried}' AS probadas FROM edicion AS v"


def versioned(shop: Shop, tried: str = "8.2, 9.0.1") -> Path:
    """The example's queries as a folder of the shop's own, and a till that is of version 8.2.7."""
    folder = shop.folder / "consultas"
    folder.mkdir()
    for name in ("movimientos", "productos", "sucursales"):
        shutil.copy(REPOSITORY / "sql" / "oltp" / f"{name}.sql", folder)
    (folder / "version.sql").write_text(VERSION.format(tried=tried), encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    shop.till("CREATE TABLE edicion (numero text)")
    shop.till("INSERT INTO edicion VALUES ('8.2.7')")
    shop.succeed("init")
    return folder


def test_an_unknown_recipe_is_one_line_that_names_those_there_are(shop: Shop):
    known = sorted(path.name for path in RECIPES.iterdir())
    done = shop.command("status", ETL_OLTP_SQL_DIR="receta:tryton")
    assert done.returncode == 1
    assert done.stdout.strip().splitlines() == [
        "error: ETL_OLTP_SQL_DIR: there is no recipe 'tryton'; there are "
        + ", ".join(f"receta:{name}" for name in known)
    ]
    assert "receta:tryton-8" in done.stdout


@pytest.mark.parametrize("recipe", [path.name for path in RECIPES.iterdir()])
def test_a_recipe_has_three_queries_and_a_version_in_ascii(recipe: str):
    for name in ("movimientos", "productos", "sucursales", "version"):
        text = (RECIPES / recipe / f"{name}.sql").read_text(encoding="utf-8")
        assert text.isascii() and text.startswith("-- ")


def test_medusas_two_recipes_differ_by_the_history_alone():
    """And by what has corrections booked where there is no history."""
    plain, history = RECIPES / "medusa-2", RECIPES / "medusa-2-historial"
    for path in plain.iterdir():
        shared, own = (folder / path.name for folder in (plain, history))
        if path.name == "movimientos.sql":
            assert own.read_text().startswith(shared.read_text() + "UNION ALL\n")
        else:
            booked = "-- ETL_STOCK_DIFFERENCES=adjust\n" if path.name == "version.sql" else ""
            assert booked in shared.read_text()
            assert own.read_text() == shared.read_text().replace(booked, "")


def test_a_recipe_on_the_database_of_another_system_is_refused(shop: Shop):
    for done in (
        shop.command("init", ETL_OLTP_SQL_DIR="receta:tryton-8"),
        shop.run_due(ETL_OLTP_SQL_DIR="receta:tryton-8"),
    ):
        assert done.returncode in (1, 30)
        assert "this database is of another system than the queries" in done.stdout
    assert not shop.olap_rows("SELECT * FROM etl.corrida")


def test_a_version_that_was_tried_is_told_and_its_table_granted(shop: Shop):
    versioned(shop)
    stock(shop)
    shop.run()
    assert shop.olap_rows("SELECT * FROM dw.kardex")
    found = doctor(shop).one("OLTP system")
    assert found.state == "ok"
    assert found.found == "Till 8.2.7; the queries were tried with 8.2, 9.0.1"


@pytest.mark.parametrize("number", ["8.20.1", "9.0.2", "8", ""])
def test_a_version_that_was_not_tried_stops_before_anything_is_read(shop: Shop, number: str):
    folder = versioned(shop)
    stock(shop)
    shop.till("UPDATE edicion SET numero = %s", number)
    said = f"the shop runs Till {number or 'of an unknown version'}, and the queries that"
    done = shop.run_due()
    assert done.returncode == 30
    assert said in done.stdout
    assert said in shop.command("plan").stdout
    assert not shop.olap_rows("SELECT * FROM etl.corrida")
    assert doctor(shop).one("OLTP system").state == "error"
    if number:
        tried = VERSION.format(tried=f"8.2,{number}")
        (folder / "version.sql").write_text(tried, encoding="utf-8")
        shop.run()
        assert shop.olap_rows("SELECT * FROM dw.kardex")


@pytest.mark.parametrize("rows", ["DELETE FROM edicion", "INSERT INTO edicion VALUES ('8.2')"])
def test_a_version_is_one_row(shop: Shop, rows: str):
    versioned(shop)
    shop.till(rows)
    done = shop.run_due()
    assert done.returncode == 30
    assert "version.sql must yield one row of sistema, version and probadas" in done.stdout


# Two companies, in euro and dollars; a warehouse with its zones; a delivery of each, in both zones'
# moves, and one past the shop.
COMPANIES = """
INSERT INTO ir_configuration VALUES ('8.2');
INSERT INTO company_company VALUES (1, 1), (2, 2);
INSERT INTO product_uom VALUES (1, 1);
INSERT INTO product_template VALUES (1, 'Milk', 'goods', true, 1);
INSERT INTO product_product VALUES (1, 'MILK', 1, true);
INSERT INTO stock_location VALUES
    (1, 'Shop', 'warehouse', 1, 6), (2, 'Input', 'storage', 2, 3), (3, 'Storage', 'storage', 4, 5),
    (4, 'Supplier', 'supplier', 7, 8), (5, 'Customer', 'customer', 9, 10);
INSERT INTO stock_move
SELECT n, company, 1, place, target, 2, 2, 1, 3, company, current_date, 'done'
FROM (VALUES (1, 1, 4, 2), (2, 1, 2, 3), (3, 1, 4, 5), (4, 2, 4, 2), (5, 2, 2, 3))
    AS m (n, company, place, target)
"""


def test_trytons_first_company_is_carried_and_the_moves_of_others_are_told(shop: Shop):
    shop.till(tables_of(TRYTON))
    shop.till(COMPANIES)
    shop.env["ETL_OLTP_SQL_DIR"] = "receta:tryton-8"
    shop.succeed("init")
    shop.run()
    (line,) = shop.olap_rows("SELECT * FROM dw.kardex")
    assert (line["id_movimiento"], line["tipo"]) == (1, "ENTRADA_MERCANCIA")
    assert (line["id_sucursal"], line["cantidad"], line["costo_total"]) == (1, 2, 6)
    assert "de otra empresa" in shop.command("status").stdout
    assert "de otra empresa" in shop.command("doctor").stdout
