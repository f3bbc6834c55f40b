"""A query that was edited, or a view under it, is noticed, and everything is read once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shop_database import Shop

SHIPPED = Path(__file__).parents[1] / "sql" / "oltp"


def why_everything(shop: Shop) -> str | None:
    """Why the last window read everything, if it did."""
    (row,) = shop.olap_rows("SELECT motivo_completa FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    return row["motivo_completa"]


def movements(shop: Shop) -> int:
    """How many the ledger holds."""
    return shop.olap_rows("SELECT count(*) AS n FROM dw.kardex")[0]["n"]


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    """The shop's own queries, in force."""
    folder = tmp_path / "queries"
    folder.mkdir()
    for path in SHIPPED.glob("*.sql"):
        if path.name in ("movimientos.sql", "productos.sql", "sucursales.sql"):
            (folder / path.name).write_text(path.read_text())
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    shop.product(1)
    day = datetime.now(UTC) - timedelta(days=1)
    shop.receipt(day, (1, 10, 5))
    for _ in range(4):
        shop.sale(day, (1, 2, 7))
    return folder


def read_documents(shop: Shop, folder: Path, granted: str = "documentos") -> Path:
    """The headers are those of `documentos`, whose v is their version; returns the query's file."""
    shop.till(f'GRANT SELECT ON {granted} TO "{shop.env["OLTP_DB_USER"]}"')
    query = folder / "movimientos.sql"
    text = query.read_text().replace("public.transacciones", "public.documentos")
    query.write_text(text.replace("t.xmin AS", "t.v AS"))
    return query


def assert_refused(shop: Shop, cause: str) -> None:
    """A run tells this cause, and the way out."""
    done = shop.run_due()
    assert done.returncode != 0
    assert cause in done.stdout, done.stdout
    assert "ETL_CAPTURE=full" in done.stdout


def test_a_widened_query_brings_what_is_not_new(shop: Shop, folder: Path):
    query = folder / "movimientos.sql"
    whole = query.read_text()
    query.write_text(whole + "\nWHERE t.tipo <> 'VENTA'")
    assert shop.run_due().returncode == 0
    assert movements(shop) == 1
    query.write_text(whole)
    assert "movimientos.sql was edited" in shop.command("plan").stdout
    done = shop.run_due()
    assert done.returncode == 0
    assert "movimientos.sql was edited" in done.stdout
    assert why_everything(shop) == "movimientos.sql was edited"
    assert movements(shop) == 5
    # What is only said, and not asked, changes nothing.
    query.write_text("-- it's ours\n" + whole.replace("\nINNER", "\n\n    -- 'lines'\n  INNER"))
    assert shop.run_due().returncode == 0
    assert why_everything(shop) is None


def test_a_view_under_a_view_that_is_replaced(shop: Shop, folder: Path):
    reader = shop.env["OLTP_DB_USER"]
    shop.till(
        "CREATE VIEW ventas AS SELECT t.*, t.xmin AS v FROM transacciones AS t"
        " WHERE tipo <> 'VENTA'"
    )
    shop.till("CREATE VIEW documentos AS SELECT * FROM ventas")
    shop.till(f'GRANT SELECT ON documentos TO "{reader}"')
    query = folder / "movimientos.sql"
    text = query.read_text().replace("public.transacciones", "public.documentos")
    query.write_text(text.replace("t.xmin AS", "t.v AS"))
    assert shop.run_due().returncode == 0
    assert movements(shop) == 1
    shop.till("CREATE OR REPLACE VIEW ventas AS SELECT t.*, t.xmin AS v FROM transacciones AS t")
    assert shop.run_due().returncode == 0
    assert why_everything(shop) == "the view public.ventas was edited"
    assert movements(shop) == 5


HEADERS = (
    "id_transaccion bigint, tipo text, fecha timestamptz, id_sucursal bigint,"
    " anulada boolean, v xid"
)
# By where the shop's queries call it: a function whose text says which documents there are.
FUNCTIONS = {
    "a view over one": (
        f"CREATE OR REPLACE FUNCTION f() RETURNS TABLE ({HEADERS}) STABLE LANGUAGE sql AS $$"
        "SELECT t.id_transaccion, t.tipo::text, t.fecha, t.id_sucursal, t.anulada, t.xmin"
        " FROM public.transacciones AS t WHERE {leaves_in}$$",
        "public.documentos",
        "public.f",
    ),
    "one in the query": (
        f"CREATE OR REPLACE FUNCTION f() RETURNS TABLE ({HEADERS}) STABLE LANGUAGE plpgsql AS $$"
        "BEGIN RETURN QUERY SELECT t.id_transaccion, t.tipo::text, t.fecha, t.id_sucursal::bigint,"
        " t.anulada, t.xmin FROM public.transacciones AS t WHERE {leaves_in}; END$$",
        "public.f()",
        "public.f",
    ),
    "a view that one reads": (
        "CREATE OR REPLACE VIEW vista AS SELECT t.*, t.xmin AS v FROM public.transacciones AS t"
        " WHERE {leaves_in}",
        "public.g()",
        "public.vista",
    ),
}


@pytest.mark.parametrize("where", FUNCTIONS)
def test_a_function_that_yields_other_rows(shop: Shop, folder: Path, where: str):
    create, name, told = FUNCTIONS[where]
    shop.till(create.format(leaves_in="t.tipo <> 'VENTA'"))
    if where == "a view over one":
        shop.till("CREATE VIEW documentos AS SELECT * FROM f()")
    if where == "a view that one reads":
        shop.till(
            f"CREATE FUNCTION g() RETURNS TABLE ({HEADERS}) STABLE LANGUAGE plpgsql AS $$BEGIN"
            " RETURN QUERY SELECT t.id_transaccion, t.tipo::text, t.fecha, t.id_sucursal::bigint,"
            " t.anulada, t.v FROM public.vista AS t; END$$"
        )
        shop.till("GRANT SELECT ON vista TO etl_lector")
    query = folder / "movimientos.sql"
    text = query.read_text().replace("    t.id_sucursal_destino,\n", "").replace("t.xmin", "t.v")
    query.write_text(text.replace("public.transacciones", name))
    if "()" not in name:
        shop.till(f"GRANT SELECT ON {name} TO etl_lector")
    shop.run()
    assert movements(shop) == 1
    shop.run()
    assert why_everything(shop) is None
    shop.till(create.format(leaves_in="true"))
    shop.run()
    kind = "view" if "vista" in told else "function"
    assert why_everything(shop) == f"the {kind} {told} was edited"
    assert movements(shop) == 5


def test_a_virtual_column_of_another_expression(shop: Shop, folder: Path):
    if shop.oltp.info.server_version < 180000:
        pytest.skip("virtual generated columns are of PostgreSQL 18")
    shop.till("ALTER TABLE transacciones ADD clase text GENERATED ALWAYS AS (tipo) VIRTUAL")
    query = folder / "movimientos.sql"
    query.write_text(query.read_text().replace("t.tipo", "t.clase AS tipo", 1))
    assert shop.run_due().returncode == 0
    assert movements(shop) == 5
    shop.till("ALTER TABLE transacciones ALTER clase SET EXPRESSION AS (lower(tipo))")
    assert shop.run_due(ETL_MAX_REMOVED_SHARE="1").returncode == 0
    assert why_everything(shop) == "the table public.transacciones was edited"
    assert movements(shop) == 0


def test_an_olap_of_an_earlier_release_reads_everything_once(shop: Shop, folder: Path):
    assert shop.run_due().returncode == 0
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE etl.control SET consultas = NULL")
    assert shop.run_due().returncode == 0
    assert "an earlier release" in str(why_everything(shop))
    assert shop.run_due().returncode == 0
    assert why_everything(shop) is None


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("d.xmin AS version_1", "'0'::xid AS version_1", "yields version_1 as '0'::xid"),
        ("t.xmin AS version_2", "'2'::xid AS version_2", "yields version_2 as '2'::xid"),
    ],
)
def test_a_version_that_never_moves(shop: Shop, folder: Path, old: str, new: str, cause: str):
    query = folder / "movimientos.sql"
    assert old in query.read_text()
    query.write_text(query.read_text().replace(old, new))
    done = shop.command("doctor", "--json")
    assert cause in done.stdout
    assert_refused(shop, cause)
    shop.env["ETL_CAPTURE"] = "full"
    assert shop.run_due().returncode == 0
    assert movements(shop) == 5


@pytest.mark.parametrize(
    ("kind", "value"),
    [("TABLE", "0"), ("VIEW", "0"), ("MATERIALIZED VIEW", "7")],
    ids=["a column", "within a view", "of a materialized view"],
)
def test_a_version_that_never_moves_where_no_plan_tells(
    shop: Shop, folder: Path, kind: str, value: str
):
    for _ in range(20):
        shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 0.25, 7))
    shop.till(
        f"CREATE {kind} documentos AS WITH d AS MATERIALIZED"
        f" (SELECT t.*, '{value}'::xid AS v FROM transacciones AS t) SELECT * FROM d"
    )
    read_documents(shop, folder)
    said = {
        "TABLE": "movimientos.sql yields version_2 as 0 for every row",
        "VIEW": "yields '0'::xid as a version of the rows of public.transacciones",
        "MATERIALIZED VIEW": "movimientos.sql yields version_2 as 7 for every row",
    }
    assert_refused(shop, said[kind])
    if kind == "TABLE":
        # One that moves is taken as it is.
        shop.till("UPDATE documentos SET v = pg_current_xact_id()::xid WHERE id_transaccion = 1")
        assert shop.run_due().returncode == 0


@pytest.mark.parametrize(
    "version",
    [
        "(SELECT j.v FROM unnest(ARRAY[d.xmin, t.xmin]) AS j (v) ORDER BY age(j.v) LIMIT 1)",
        "g.v",
    ],
    ids=["of two tables", "of many rows"],
)
def test_the_youngest_of_several_versions_moves_where_all_were_restored_at_once(
    shop: Shop, folder: Path, version: str
):
    for _ in range(20):
        shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 0.25, 7))
    shop.till(
        "UPDATE detalle_transaccion SET cantidad = cantidad; UPDATE transacciones SET tipo = tipo"
    )
    query = folder / "movimientos.sql"
    text = query.read_text().replace("d.xmin AS version_1", f"{version} AS version_1")
    grouped = (
        "\nINNER JOIN (SELECT e.id_transaccion, (array_agg(e.xmin ORDER BY age(e.xmin)))[1] AS v"
        " FROM public.detalle_transaccion AS e GROUP BY 1) AS g"
        " ON g.id_transaccion = t.id_transaccion"
    )
    query.write_text(text.rstrip() + grouped)
    assert shop.run_due().returncode == 0
    assert movements(shop) == 25


HISTORY = "CREATE TABLE historico (LIKE transacciones); ALTER TABLE historico ADD v xid"
# By the branch of a view that does not move beside one that does: what makes it, what is said.
STILL_BRANCHES = {
    "a constant": (
        f"{HISTORY}; CREATE VIEW documentos AS SELECT *, xmin AS v FROM transacciones"
        " UNION ALL SELECT {columns}, '0'::xid FROM historico",
        "yields '0'::xid as a version of the rows of public.historico",
    ),
    "any constant, behind a fence": (
        f"{HISTORY}; CREATE VIEW documentos AS SELECT * FROM (SELECT *, xmin AS v FROM"
        " transacciones UNION ALL SELECT {columns}, '77'::xid FROM historico OFFSET 0) AS u",
        "yields '77'::xid as a version of the rows of public.historico",
    ),
    "a column that nothing keeps": (
        f"{HISTORY}; CREATE VIEW documentos AS SELECT *, xmin AS v FROM transacciones"
        " UNION ALL SELECT {columns}, v FROM historico",
        "movimientos.sql reads public.historico, whose v is 7 in every row and is kept by no",
    ),
}


@pytest.mark.parametrize("branch", STILL_BRANCHES)
def test_one_branch_of_a_view_that_does_not_move(shop: Shop, folder: Path, branch: str):
    create, cause = STILL_BRANCHES[branch]
    columns = "id_transaccion, tipo, fecha, id_sucursal, anulada, id_sucursal_destino"
    for statement in create.format(columns=columns).split("; "):
        shop.till(statement)
    shop.till(
        "INSERT INTO historico"
        " SELECT id_transaccion + 1000, tipo, fecha, id_sucursal, anulada, NULL, '7'"
        " FROM transacciones CROSS JOIN generate_series(1, 5)"
    )
    read_documents(shop, folder, "documentos, historico")
    assert_refused(shop, cause)
    if branch == "a column that nothing keeps":
        # One that moves is taken as it is.
        shop.till("UPDATE historico SET v = pg_current_xact_id()::xid WHERE ctid = '(0,1)'")
        shop.run()


def test_a_row_without_any_version(shop: Shop, folder: Path):
    shop.till(
        "CREATE TABLE documentos AS SELECT t.*, CASE WHEN tipo = 'VENTA' THEN xmin END AS v"
        " FROM transacciones AS t"
    )
    query = read_documents(shop, folder)
    # Of the line's version and the header's one moves: as of a header that is not there.
    shop.run()
    whole = query.read_text()
    text = whole.replace("    d.xmin AS version_1,\n", "").replace("t.v AS version_2", "{v}")
    for version in ("t.v AS version_1", "coalesce(t.v, '0'::xid) AS version_1"):
        query.write_text(text.replace("{v}", version))
        assert_refused(shop, "yields id_movimiento 1 with no version but 0 or NULL")


def test_rows_of_the_text_alone_need_no_version_that_moves(shop: Shop, folder: Path):
    branches = folder / "sucursales.sql"
    branches.write_text("SELECT 1 AS id_sucursal, 'Centro' AS nombre, '0'::xid AS version_1")
    assert shop.run_due().returncode == 0
    branches.write_text("SELECT 1 AS id_sucursal, 'Norte' AS nombre, '0'::xid AS version_1")
    assert shop.run_due().returncode == 0
    assert shop.olap_rows("SELECT nombre FROM dw.sucursal ORDER BY id_sucursal")[-1:] == [
        {"nombre": "Norte"}
    ]


def test_everything_each_time(shop: Shop, folder: Path):
    shop.env["ETL_CAPTURE"] = "full"
    query = folder / "movimientos.sql"
    text = query.read_text()
    query.write_text(
        text[: text.index("    t.anulada AS anulado")]
        + "    t.anulada AS anulado\n"
        + text[text.index("FROM public.detalle") :]
    )
    assert shop.run_due().returncode == 0
    line = shop.sale(datetime.now(UTC) - timedelta(hours=1), (1, 1, 9))[0]
    with shop.oltp.cursor() as cursor:
        cursor.execute(
            "DELETE FROM detalle_transaccion WHERE id_detalle <> %s AND"
            " id_detalle = (SELECT max(id_detalle) - 1 FROM detalle_transaccion)",
            (line,),
        )
    done = shop.run_due()
    assert done.returncode == 0
    assert "reads everything" not in done.stdout
    assert why_everything(shop) == "ETL_CAPTURE=full"
    assert movements(shop) == 5
    assert shop.command("verify").returncode == 0
    assert "full: each run reads all" in shop.command("doctor").stdout


@pytest.mark.parametrize("joined", [False, True], ids=["one", "joined over there"])
def test_foreign_tables_are_refused_by_name(shop: Shop, folder: Path, joined: bool):
    with shop.oltp.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'")
        (there,) = cursor.fetchone()
    if not there:
        pytest.skip("no foreign data wrapper here")
    reader = shop.env["OLTP_DB_USER"]
    own = shop.oltp.info
    shop.till("CREATE EXTENSION postgres_fdw")
    shop.till(
        "CREATE SERVER lejos FOREIGN DATA WRAPPER postgres_fdw OPTIONS"
        f" (host '{own.host}', port '{own.port}', dbname '{own.dbname}')"
    )
    shop.till(
        "CREATE USER MAPPING FOR PUBLIC SERVER lejos OPTIONS"
        f" (user '{reader}', password '{shop.env['OLTP_DB_PASSWORD']}')"
    )
    shop.till("CREATE SCHEMA lejana")
    shop.till(
        "IMPORT FOREIGN SCHEMA public LIMIT TO (transacciones, detalle_transaccion)"
        " FROM SERVER lejos INTO lejana"
    )
    shop.till(f'GRANT USAGE ON SCHEMA lejana TO "{reader}"')
    shop.till(f'GRANT SELECT ON ALL TABLES IN SCHEMA lejana TO "{reader}"')
    query = folder / "movimientos.sql"
    text = query.read_text().replace("public.transacciones", "lejana.transacciones")
    if joined:
        text = text.replace("public.detalle_transaccion", "lejana.detalle_transaccion")
    query.write_text(text)
    done = shop.run_due()
    assert done.returncode != 0
    assert "transacciones" in done.stdout and "a foreign table" in done.stdout, done.stdout
    shop.env["ETL_CAPTURE"] = "full"
    assert shop.run_due().returncode == 0
    assert movements(shop) == 5


def test_init_grants_what_the_queries_name_and_no_more(shop: Shop, folder: Path):
    shop.till("CREATE SCHEMA tienda")
    shop.till(
        "CREATE TABLE tienda.renglones (LIKE detalle_transaccion) PARTITION BY RANGE (id_detalle)"
    )
    shop.till("CREATE TABLE tienda.renglones_1 PARTITION OF tienda.renglones DEFAULT")
    shop.till("INSERT INTO tienda.renglones SELECT * FROM detalle_transaccion")
    shop.till("CREATE TABLE tienda.documentos AS SELECT * FROM transacciones")
    shop.till("CREATE VIEW tienda.cabeceras AS SELECT t.*, t.xmin AS v FROM tienda.documentos AS t")
    query = folder / "movimientos.sql"
    text = query.read_text().replace("public.transacciones", "tienda.cabeceras")
    text = text.replace("public.detalle_transaccion", "tienda.renglones")
    query.write_text(text.replace("t.xmin AS", "t.v AS"))
    shop.succeed("init", "--example-oltp")
    assert shop.run_due().returncode == 0
    assert movements(shop) == 5
    with shop.oltp.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'tienda'::regnamespace"
            " AND has_table_privilege('etl_lector', c.oid, 'SELECT') ORDER BY 1"
        )
        assert cursor.fetchall() == [("cabeceras",), ("renglones",)]
