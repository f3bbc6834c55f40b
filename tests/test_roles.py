"""Who may do what, and that everything in the OLAP says what it is."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY

from pipeline.olap import SCHEMA_VERSION


def connect(shop: Shop, side: str, user: str | None = None) -> psycopg2.extensions.connection:
    """A connection as the narrow user of a side, or as another one."""
    connection = psycopg2.connect(
        host=shop.env[f"{side}_DB_HOST"],
        port=shop.env[f"{side}_DB_PORT"],
        dbname=shop.env[f"{side}_DB_NAME"],
        user=user or shop.env[f"{side}_DB_USER"],
        password=shop.env[f"{side}_DB_PASSWORD"],
    )
    connection.autocommit = True
    return connection


def refused(connection: psycopg2.extensions.connection, statement: str) -> bool:
    """Whether the server refuses it for want of a privilege, or since a view is no table."""
    try:
        connection.cursor().execute(statement)
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectNotInPrerequisiteState):
        return True
    except psycopg2.errors.WrongObjectType:
        return True
    return False


def relations(shop: Shop) -> list[str]:
    """Every table and view of the two schemas."""
    return [
        f"{row['nspname']}.{row['relname']}"
        for row in shop.olap_rows(
            "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n"
            " ON n.oid = c.relnamespace WHERE n.nspname IN ('dw', 'etl')"
            " AND c.relkind IN ('r', 'v', 'm') ORDER BY 1, 2"
        )
    ]


def test_the_loader_reads_and_writes_no_table(shop: Shop):
    loader = connect(shop, "OLAP")
    assert len(relations(shop)) > 20
    for relation in relations(shop):
        assert refused(loader, f"SELECT * FROM {relation}"), relation
        assert refused(loader, f"DELETE FROM {relation}"), relation
    assert refused(loader, "CREATE TABLE dw.x (a int)")
    assert refused(loader, "SELECT etl.vaciar_trabajo()")
    loader.close()


def test_the_dashboards_read_the_views_and_the_types_alone(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
    shop.run_in_process()
    reader = connect(shop, "OLAP", shop.env["OLAP_BI_USER"])
    readable = {r for r in relations(shop) if not refused(reader, f"SELECT * FROM {r}")}
    views = (REPOSITORY / "sql/olap/views").glob("[mv]*.sql")
    others = {"dw.existencias_sucursal", "dw.tipo_movimiento", "dw.cierre", "dw.reapertura"}
    others |= {"dw.existencias_tienda"}
    assert readable == {f"dw.{path.stem}" for path in views} | others
    assert refused(reader, "SELECT dw.refrescar_vistas_materializadas()")
    reader.close()


def test_the_reader_of_the_shop_only_reads(shop: Shop):
    reader = connect(shop, "OLTP")
    for table in ("productos", "sucursales", "transacciones", "detalle_transaccion"):
        assert not refused(reader, f"SELECT * FROM {table}")
        assert refused(reader, f"DELETE FROM {table}")
    reader.close()


def test_nothing_may_be_executed_by_everybody(shop: Shop):
    assert not shop.olap_rows(
        "SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_namespace AS n"
        " ON n.oid = p.pronamespace WHERE n.nspname IN ('dw', 'etl')"
        " AND has_function_privilege('public', p.oid, 'EXECUTE')"
    )


@pytest.mark.one_postgres
def test_everything_says_what_it_is(shop: Shop):
    silent = shop.olap_rows(
        "SELECT c.oid::regclass::text AS name FROM pg_class AS c"
        " WHERE c.relnamespace IN ('dw'::regnamespace, 'etl'::regnamespace)"
        " AND c.relkind IN ('r', 'v', 'm') AND obj_description(c.oid, 'pg_class') IS NULL"
        " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc AS p"
        " WHERE p.pronamespace IN ('dw'::regnamespace, 'etl'::regnamespace)"
        " AND obj_description(p.oid, 'pg_proc') IS NULL"
    )
    assert silent == []


def test_init_may_be_repeated_and_keeps_the_data(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
    shop.run_in_process()
    before = shop.olap_rows("SELECT * FROM dw.kardex"), shop.olap_rows("SELECT * FROM etl.control")
    assert "up to date" in shop.succeed("init").stdout
    after = shop.olap_rows("SELECT * FROM dw.kardex"), shop.olap_rows("SELECT * FROM etl.control")
    assert after == before


def test_an_older_one_is_upgraded_and_a_newer_one_refused(shop: Shop):
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE etl.control SET esquema = %s", (SCHEMA_VERSION - 1,))
        assert "python -m pipeline init" in shop.command("status").stdout
        assert "upgraded" in shop.succeed("init").stdout
        cursor.execute("UPDATE etl.control SET esquema = %s", (SCHEMA_VERSION + 1,))
    for command in ("init", "status"):
        done = shop.command(command)
        assert done.returncode == 1
        assert "upgrade this program" in done.stdout
        assert len(done.stdout.splitlines()) == 1
    assert shop.run_due().returncode == 35


# Who owns what; of the first one, who owns nearly all of it, only that.
OWNERS = """
SELECT o.owner::regrole::text, CASE WHEN count(*) = 1 THEN min(o.what) END
FROM (
    SELECT c.relowner AS owner, c.oid::regclass::text AS what FROM pg_class AS c
    WHERE c.relnamespace IN ('dw'::regnamespace, 'etl'::regnamespace)
    UNION ALL
    SELECT p.proowner, p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.pronamespace IN ('dw'::regnamespace, 'etl'::regnamespace)
) AS o
GROUP BY o.owner
ORDER BY 1
"""


@pytest.mark.one_postgres
def test_a_member_of_the_first_administrator_may_upgrade(shop: Shop):
    names = {"admin": f"admin_{shop.olap_name}", "member": f"socio_{shop.olap_name}"}
    names["name"] = f"{shop.olap_name}_socio"
    for role in ("admin", "member"):
        shop.server.execute(
            f"CREATE ROLE {{{role}}} LOGIN CREATEROLE PASSWORD '{PASSWORD}'", **{role: names[role]}
        )
    shop.server.execute("GRANT {admin} TO {member}", admin=names["admin"], member=names["member"])
    shop.server.execute(
        "CREATE DATABASE {name} OWNER {admin}", name=names["name"], admin=names["admin"]
    )
    try:
        env = {"OLAP_DB_NAME": names["name"]}
        shop.succeed("init", OLAP_ADMIN_USER=names["admin"], **env)
        with (
            closing(shop.server.connect(names["name"])) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("DROP FUNCTION etl.contar_cambios(); DROP VIEW dw.v_corridas")
            shop.succeed("init", OLAP_ADMIN_USER=names["member"], **env)
            cursor.execute(OWNERS)
            assert cursor.fetchall() == [(names["admin"], None)]
        shop.product(1)
        shop.receipt(datetime.now(UTC) - timedelta(days=1), (1, 10, 5))
        assert shop.run_due(**env).returncode == 0
    finally:
        shop.server.execute("DROP DATABASE {name} WITH (FORCE)", name=names["name"])
        shop.server.execute("DROP ROLE {member}", member=names["member"])
        shop.server.execute("DROP ROLE {admin}", admin=names["admin"])


@pytest.mark.one_postgres
def test_an_administrator_who_did_not_create_the_roles_may_upgrade(shop: Shop):
    """The second shop of one server: its account is a member already."""
    admin, name = f"admin_{shop.olap_name}", f"{shop.olap_name}_segunda"
    shop.server.execute(
        f"CREATE ROLE {{admin}} LOGIN CREATEROLE PASSWORD '{PASSWORD}'", admin=admin
    )
    shop.server.execute("CREATE DATABASE {name} OWNER {admin}", name=name, admin=admin)
    env = {"OLAP_DB_NAME": name, "OLAP_ADMIN_USER": admin}
    try:
        assert "created" in shop.succeed("init", **env).stdout
        assert "up to date" in shop.succeed("init", **env).stdout
        # The next time a superuser upgrades it; the first one's functions reach what is new.
        connection = shop.server.connect(name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DROP VIEW etl.v_diferencia, etl.v_sucursales_al_empezar,"
                    " etl.v_existencias_al_empezar, dw.v_corridas; DROP TABLE etl.tramo;"
                    " DROP VIEW dw.mv_abc;"
                    " DROP FUNCTION etl.revisar_kardex(); DROP AGGREGATE"
                    " dw.valuar(text, numeric, numeric, dw.circunstancia);"
                    " CREATE FUNCTION dw.de_la_tienda() RETURNS integer LANGUAGE sql AS 'SELECT 1'"
                )
                assert "up to date" in shop.succeed("init", OLAP_DB_NAME=name).stdout
                cursor.execute(OWNERS)
                superuser = shop.server.server.superuser
                assert cursor.fetchall() == [(admin, None), (superuser, "dw.de_la_tienda()")]
                # A view that the first one may not refresh is told, and stops nothing.
                cursor.execute("CREATE MATERIALIZED VIEW dw.ajena AS SELECT 1 AS x")
                done = shop.run_due(OLAP_DB_NAME=name)
                assert done.returncode == 0
                assert "dw.ajena: " in done.stdout, done.stdout
        finally:
            connection.close()
    finally:
        shop.server.execute("DROP DATABASE {name} WITH (FORCE)", name=name)
        shop.server.execute("DROP ROLE {admin}", admin=admin)
