"""`adapt --detect`: which system a database is of, and drafts that carry what they were made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extras import RealDictCursor
from shop_database import Shop
from shop_server import OLTP_USER, REPOSITORY
from system_tables import CELERP, MEDUSA, OSCAR, OSCAR_4_2, TRYTON, tables_of
from ten_types import trade_of_ten
from test_schemas import COMMON, SHAPES, Shape, assert_by_hand

from pipeline.base.sql_files import read_sql

pytestmark = pytest.mark.one_postgres

RECIPES = REPOSITORY / "sql" / "oltp" / "recetas"
NOTHING_BEFORE = "DROP TABLE detalle_transaccion, transacciones, productos, sucursales;"
TRYTON_8_2 = "INSERT INTO ir_configuration VALUES ('8.2')"
TRIED = ["7.0", "8.2"]


def detect(shop: Shop, *arguments: str, **env: str) -> dict[str, Any]:
    """What it finds."""
    done = shop.succeed("adapt", "--detect", "--json", *arguments, **env)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def drafted(shop: Shop) -> Path:
    """A draft of this database, named by the shop's settings."""
    folder = shop.folder / "borrador"
    found = detect(shop, "--output", str(folder))
    assert {Path(path).parent for path in found["written"]} == {folder}
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    return folder


def adapt(shop: Shop) -> dict[str, Any]:
    """What `adapt` says of the shop's queries."""
    shop.succeed("init")
    said: dict[str, Any] = json.loads(shop.succeed("adapt", "--json").stdout)
    return said


def oltp_rows(shop: Shop, query: str) -> list[dict[str, Any]]:
    """What a query yields."""
    with shop.oltp.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query)
        return [dict(row) for row in cursor]


def accepted(folder: Path) -> None:
    """Its owner has read it: the mark goes."""
    for path in folder.glob("*.sql"):
        mark, rest = path.read_text(encoding="ascii").split("\n", 1)
        assert mark.startswith("-- BORRADOR")
        path.write_text(rest, encoding="ascii")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.heading)
def test_a_draft_of_the_guides_shapes_carries_that_shop(shop: Shop, shape: Shape):
    """No reject, and the stock and value that the guide's own query has there, by hand."""
    shop.till(COMMON + shape.tables.replace("%", "%%"))
    folder = drafted(shop)
    found = adapt(shop)
    assert found["rejects"] == [] and found["versions"] == []
    assert sum(t["movements"] for t in found["unknown_types"]) == shape.untyped
    accepted(folder)
    for number in (0, 1):
        shop.run()
        assert_by_hand(shop, shape, number)
        shop.till(shape.then)


# Systems that recipes are shipped for


@pytest.fixture
def bare(shop: Shop) -> Shop:
    """A database without tables."""
    shop.till(NOTHING_BEFORE)
    return shop


def test_tryton_is_recognised_and_its_settings_are_printed(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till(TRYTON_8_2)
    found = detect(bare)
    (system,) = found["systems"]
    assert (system["system"], system["version"], system["tried"]) == ("Tryton", "8.2", TRIED)
    assert found["candidates"] == {}
    text = bare.succeed("adapt", "--detect").stdout
    assert "  ETL_OLTP_SQL_DIR=receta:tryton-8\n  ETL_PRICES_INCLUDE_TAX=false\n" in text
    assert "Tryton 8.2; the recipe was tried with 7.0, 8.2" in text
    # As printed they are used.
    bare.env |= system["settings"]
    bare.succeed("init")
    said = json.loads(bare.succeed("adapt", "--json").stdout)
    assert (said["ids"]["movements"], said["versions"]) == (0, [])


def test_tryton_7_0_does_not_tell_its_series_and_7_2_is_not_taken_for_it(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till("ALTER TABLE ir_configuration DROP COLUMN series")
    bare.till("INSERT INTO ir_configuration DEFAULT VALUES")
    bare.till("CREATE TABLE ir_export (records varchar)")
    bare.till("CREATE TABLE ir_model_field_access (field varchar)")
    (system,) = detect(bare)["systems"]
    assert (system["recipe"], system["version"]) == ("tryton-8", "7.0")
    bare.till("ALTER TABLE ir_model_field_access ADD COLUMN model varchar")
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    (line,) = done.stdout.strip().splitlines()
    assert "this is Tryton of an unknown version" in line and "tried with 7.0, 8.2 alone" in line


def test_oscar_is_recognised_by_its_migrations(bare: Shop):
    bare.till(tables_of(OSCAR))
    bare.till(OSCAR_4_2.format(schema="public"))
    (system,) = detect(bare)["systems"]
    assert (system["recipe"], system["version"]) == ("oscar-4", "4.2")
    assert system["settings"] == {
        "ETL_OLTP_SQL_DIR": "receta:oscar-4",
        "ETL_PRICES_INCLUDE_TAX": "false",
    }


def test_celerp_is_recognised_by_the_release_that_wrote_it(bare: Shop):
    bare.till(tables_of(CELERP))
    bare.till("INSERT INTO instance_meta VALUES ('newest_celerp_version', '2.7.3')")
    (system,) = detect(bare)["systems"]
    assert (system["recipe"], system["version"]) == ("celerp-2.7", "2.7.3")
    bare.env |= system["settings"]
    bare.succeed("init")
    assert json.loads(bare.succeed("adapt", "--json").stdout)["ids"]["movements"] == 0


def test_medusa_is_recognised_and_what_its_owner_runs_first_is_named(bare: Shop):
    bare.till(tables_of(MEDUSA))
    bare.till("INSERT INTO mikro_orm_migrations VALUES ('Migration20260911115931')")
    found = detect(bare)
    (system,) = found["systems"]
    assert (system["recipe"], system["version"]) == ("medusa-2", "2.21")
    script = RECIPES / "medusa-2-historial" / "instalar.sql"
    (said,) = [line for line in found["not_usable"] if "medusa-2-historial" in line]
    assert f"runs {script} once" in said
    bare.server.run_script(bare.oltp_name, script)
    names = [system["recipe"] for system in detect(bare)["systems"]]
    assert names == ["medusa-2", "medusa-2-historial"]


def test_another_version_is_one_line_and_nothing_is_written(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till("INSERT INTO ir_configuration VALUES ('8.4')")
    folder = bare.folder / "borrador"
    done = bare.command("adapt", "--detect", "--output", str(folder))
    assert done.returncode == 1
    (line,) = done.stdout.strip().splitlines()
    for said in ("this is Tryton 8.4", "tried with 7.0, 8.2 alone", str(RECIPES / "tryton-8")):
        assert said in line
    assert not folder.exists()


def test_a_column_that_is_missing_is_named(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till(TRYTON_8_2)
    bare.till("ALTER TABLE stock_move DROP COLUMN internal_quantity")
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    assert (
        "this looks like Tryton 8.2, but the queries of receta:tryton-8 do not fit" in done.stdout
    )
    assert "internal_quantity" in done.stdout


def test_any_django_is_no_oscar(bare: Shop):
    bare.till("CREATE TABLE django_migrations (id bigint, app text, name text)")
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    assert "oscar" not in done.stdout.replace(str(REPOSITORY), "")
    assert "none of its 1 tables looks like movements" in done.stdout


@pytest.mark.parametrize("rows", [0, 2])
def test_a_version_that_is_not_one_row_is_one_line(bare: Shop, rows: int):
    """As of a database that nobody has set up; another system beside it is found all the same."""
    bare.till(tables_of(TRYTON))
    for _row in range(rows):
        bare.till(TRYTON_8_2)
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    (line,) = done.stdout.strip().splitlines()
    assert "this looks like tryton-8 of an unknown version" in line
    assert "its version.sql does not yield one row there" in line
    bare.till(tables_of(OSCAR))
    bare.till(OSCAR_4_2.format(schema="public"))
    found = detect(bare)
    assert [system["recipe"] for system in found["systems"]] == ["oscar-4"]
    assert found["not_usable"] == [line.removeprefix("error: ")]


def test_another_system_of_which_no_version_is_told_is_not_named(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till("ALTER TABLE stock_move DROP COLUMN internal_quantity")
    bare.till(tables_of(OSCAR))
    bare.till(OSCAR_4_2.format(schema="public"))
    assert detect(bare)["not_usable"] == []


def test_tables_in_another_schema_are_said_in_a_line(bare: Shop):
    bare.till(tables_of(TRYTON, "erp"))
    bare.till("INSERT INTO erp.ir_configuration VALUES ('8.2')")
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    (line,) = done.stdout.strip().splitlines()
    assert "the tables of Tryton 8.2 are in the schema erp" in line
    assert "write erp. for public. in its files" in line


def test_two_systems_in_one_database_are_both_told(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till(TRYTON_8_2)
    bare.till(tables_of(OSCAR, "web"))
    bare.till(OSCAR_4_2.format(schema="web"))
    found = detect(bare)
    assert [system["recipe"] for system in found["systems"]] == ["tryton-8"]
    (other,) = found["not_usable"]
    assert "the tables of django-oscar 4.2 are in the schema web" in other
    bare.till(tables_of(OSCAR))
    bare.till(OSCAR_4_2.format(schema="public"))
    text = bare.succeed("adapt", "--detect").stdout
    assert "receta:oscar-4" in text and "receta:tryton-8" in text
    assert "several fit" in text


def test_without_the_right_to_read_the_version_it_says_so(bare: Shop):
    bare.till(tables_of(TRYTON))
    bare.till(TRYTON_8_2)
    bare.till("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, etl_lector")
    env = {"OLTP_ADMIN_USER": "", "OLTP_ADMIN_PASSWORD": ""}
    assert bare.env["OLTP_DB_USER"] == OLTP_USER
    text = bare.succeed("adapt", "--detect", **env).stdout
    assert "receta:tryton-8: its version is for an account that may read it" in text
    assert "ETL_OLTP_SQL_DIR=receta:tryton-8" in text


@pytest.mark.parametrize("recipe", [path.name for path in RECIPES.iterdir()])
def test_every_recipe_says_which_settings_it_wants(recipe: str):
    """What --detect prints: see "Another shop's schema" in the guide for developers."""
    text = (RECIPES / recipe / "version.sql").read_text(encoding="utf-8")
    assert "\n-- ETL_PRICES_INCLUDE_TAX=" in text


# Databases that are none


def test_an_empty_database_is_one_line(bare: Shop):
    done = bare.command("adapt", "--detect")
    assert done.returncode == 1
    (line,) = done.stdout.strip().splitlines()
    assert "has no tables: is it the shop's database (OLTP_DB_NAME)?" in line


def test_an_olap_by_mistake_is_refused(shop: Shop):
    done = shop.command("adapt", "--detect", OLTP_DB_NAME=shop.olap_name)
    assert done.returncode == 1
    assert "holds an OLAP: give OLTP_DB_NAME the shop's database" in done.stdout


# The example


def test_the_example_is_recognised(shop: Shop):
    found = detect(shop)
    assert found["systems"][0]["recipe"] == ""
    assert (
        "the tables of the example: ETL_OLTP_SQL_DIR stays empty"
        in shop.succeed("adapt", "--detect").stdout
    )


def test_a_draft_of_the_example_yields_what_its_own_queries_do(shop: Shop):
    """Of all ten types, row for row and column for column."""
    trade_of_ten(shop, datetime.now(UTC), days=60)
    own = oltp_rows(shop, read_sql("oltp", "movimientos.sql"))
    assert len({row["tipo"] for row in own}) == 10
    shop.env["ETL_INITIAL_SINCE"] = "2020-01-01"
    folder = drafted(shop)
    found = adapt(shop)
    assert found["rejects"] == [] and found["unknown_types"] == [] and found["versions"] == []
    assert found["draft"] == ["movimientos.sql", "productos.sql", "sucursales.sql"]
    for name in ("movimientos", "productos", "sucursales"):
        expected = oltp_rows(shop, read_sql("oltp", f"{name}.sql"))
        rows = oltp_rows(shop, (folder / f"{name}.sql").read_text(encoding="ascii"))
        for row in rows:
            for column in row.keys() - expected[0].keys():
                del row[column]
        key = next(iter(expected[0]))
        assert sorted(rows, key=lambda r: r[key]) == sorted(expected, key=lambda r: r[key])


# The mark, and where a draft goes


def test_no_run_uses_a_draft_until_its_owner_has_read_each_file(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(hours=1), (1, 2, "5"))
    folder = drafted(shop)
    found = adapt(shop)
    assert found["ids"]["movements"] == 1
    assert "draft" in shop.succeed("adapt").stdout
    said = f"in {folder}: a draft, which no run uses"
    for name in ("movimientos", "productos", "sucursales"):
        for done in (shop.run_due(), shop.command("plan")):
            assert done.returncode != 0
            assert said in done.stdout and f"{name}.sql" in done.stdout
        assert "a draft, which no run uses" in shop.command("doctor").stdout
        path = folder / f"{name}.sql"
        path.write_text(path.read_text(encoding="ascii").split("\n", 1)[1], encoding="ascii")
    assert not shop.olap_rows("SELECT * FROM etl.corrida")
    shop.run()
    assert [row["cantidad"] for row in shop.olap_rows("SELECT * FROM dw.kardex")] == [2]
    path.write_text(f"-- BORRADOR\n{path.read_text(encoding='ascii')}", encoding="ascii")
    for command in ("verify", "rebuild"):
        assert "a draft, which no run uses" in shop.command(command).stdout


@pytest.mark.parametrize("there", ["movimientos.sql", "apuntes.txt"])
def test_nothing_is_overwritten(shop: Shop, there: str):
    folder = shop.folder / "borrador"
    folder.mkdir()
    assert detect(shop, "--output", str(folder))["written"]
    (folder / "movimientos.sql").unlink()
    (folder / there).write_text("mine")
    done = shop.command("adapt", "--detect", "--output", str(folder))
    assert done.returncode == 1
    assert "is there already, and not empty: name a new folder" in done.stdout
    assert (folder / there).read_text() == "mine"


def test_output_is_for_detect_alone(shop: Shop):
    done = shop.command("adapt", "--output", str(shop.folder / "borrador"))
    assert done.returncode == 1
    assert "--output is for --detect alone" in done.stdout


# Databases that nobody knows


def test_without_the_right_to_read_rows_names_alone_say_it(bare: Shop):
    (shape,) = (s for s in SHAPES if s.heading == "Sales and purchases apart")
    bare.till(COMMON.replace(NOTHING_BEFORE, "") + shape.tables)
    bare.till("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, etl_lector")
    env = {"OLTP_ADMIN_USER": "", "OLTP_ADMIN_PASSWORD": ""}
    found = detect(bare, **env)
    why = {c["column"]: c["why"] for c in found["candidates"]["movimientos"]}
    assert "its rows may not be read by this account" in why["cantidad"]
    assert {c["from"] for c in found["candidates"]["movimientos"]} >= {"'VENTA'"}


def test_candidates_are_shown_with_their_reasons(bare: Shop):
    shape = SHAPES[0]
    bare.till(COMMON.replace(NOTHING_BEFORE, "") + shape.tables.replace("%", "%%"))
    text = bare.succeed("adapt", "--detect", COLUMNS="80").stdout
    for said in ("movimientos.sql", "its name is that of public.articulos", "'factura' 3",
                 "of 6 rows 6 above 0, 0 below", "--detect --output FOLDER"):  # fmt: skip
        assert said in " ".join(text.split()), said
    assert max(map(len, text.splitlines())) <= 80
    assert not list(bare.folder.glob("*.sql"))


ENGLISH = """
CREATE TYPE kind AS ENUM ('sale', 'sale return', 'purchase', 'purchase return', 'stock count',
    'stock transfer', 'quotation', 'devolución');
CREATE TABLE "Warehouses" (id uuid PRIMARY KEY, name text);
CREATE TABLE "Categories" (id int PRIMARY KEY, name text);
CREATE TABLE products (id uuid PRIMARY KEY, sku text UNIQUE, title text, stock numeric,
    category_id int REFERENCES "Categories", is_active boolean NOT NULL);
CREATE TABLE "Order" ("orderId" int PRIMARY KEY, kind kind, "placedAt" timestamptz NOT NULL,
    warehouse_id uuid REFERENCES "Warehouses", to_warehouse_id uuid REFERENCES "Warehouses",
    status text, "number" text, deleted_at timestamptz);
CREATE TABLE "OrderItem" ("orderId" int REFERENCES "Order", line int, "productSku" text
    REFERENCES products (sku), qty int, "unitPriceExclTax" numeric, "unitCost" money,
    PRIMARY KEY ("orderId", line));
CREATE TABLE cart_item (id int PRIMARY KEY, product_id uuid REFERENCES products, quantity int,
    created_at timestamptz);
INSERT INTO "Warehouses" VALUES ('00000000-0000-0000-0000-000000000001', 'One'),
    ('00000000-0000-0000-0000-000000000002', 'Two');
INSERT INTO "Categories" VALUES (1, 'Food');
INSERT INTO products VALUES ('00000000-0000-0000-0000-00000000000a', 'A-1', 'Milk', 5, 1, true);
INSERT INTO "Order" SELECT n, k::kind, now() - interval '9 hours' + n * interval '1 hour',
    '00000000-0000-0000-0000-000000000001', CASE k WHEN 'stock transfer' THEN
    '00000000-0000-0000-0000-000000000002'::uuid END, s, 'D-' || n, CASE n WHEN 8 THEN now() END
FROM (VALUES (1, 'purchase', 'completed'), (2, 'sale', 'paid'), (3, 'sale return', 'completed'),
    (4, 'purchase return', 'completed'), (5, 'stock transfer', 'completed'),
    (6, 'quotation', 'completed'), (7, 'sale', 'draft'), (8, 'sale', 'paid'),
    (9, 'devolución', 'paid')) AS v (n, k, s);
INSERT INTO "OrderItem" SELECT n, 1, 'A-1', CASE n WHEN 1 THEN 20 ELSE 2 END,
    CASE n WHEN 1 THEN NULL ELSE 3 END, CASE n WHEN 1 THEN '2.50'::money END
FROM generate_series(1, 9) AS n;
"""


def test_a_shop_in_english_with_keys_of_texts_and_names_in_capitals(bare: Shop):
    """20 bought at 2.50, 2 each sold, brought back twice, sent back, moved: by hand 18 at 2.50."""
    bare.till(ENGLISH)
    folder = drafted(bare)
    assert (folder / "movimientos.sql").read_bytes().isascii()
    found = adapt(bare)
    assert found["rejects"] == [] and found["versions"] == []
    assert [(t["type"], t["movements"]) for t in found["unknown_types"]] == [(None, 1)]
    accepted(folder)
    bare.run()
    rows = bare.olap_rows(
        "SELECT k.tipo, k.cantidad, d.documento FROM dw.kardex AS k"
        " JOIN dw.documento_movimiento AS d USING (id_movimiento) ORDER BY d.documento"
    )
    assert [(row["documento"], row["tipo"]) for row in rows] == [
        ("D-1", "ENTRADA_MERCANCIA"), ("D-2", "VENTA"), ("D-3", "DEVOLUCION_VENTA"),
        ("D-4", "DEVOLUCION_COMPRA"), ("D-5", "TRASLADO"), ("D-9", "DEVOLUCION_VENTA"),
    ]  # fmt: skip
    (stock,) = bare.olap_rows("SELECT * FROM dw.inventario")
    assert (stock["existencias"], stock["valor"]) == (20, Decimal(50))
    (product,) = bare.olap_rows("SELECT * FROM dw.producto")
    assert (product["codigo"], product["nombre"], product["categoria"]) == ("A-1", "Milk", "Food")
    (apart,) = bare.olap_rows("SELECT * FROM dw.v_diferencias_existencias")
    assert apart["tienda"] == 5
