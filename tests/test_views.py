"""Each view against plain Decimal, and what a refresh does beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from olap_comparison import assert_olap_equals_replay, replay_shop
from oltp_reading import read_pricing
from oracle_rows import Pricing
from shop_database import Shop
from shop_server import BI_USER, OLAP_USER, OLTP_USER, REPOSITORY
from ten_types import KINDS, trade_of_ten
from test_upgrades import OLD, install_old
from test_verify import soon_enough, verified
from view_comparison import view_differences

from pipeline.base.sql_files import read_sql, sql_folder

PRICING = {
    "category_pricing": {"Lácteos": Pricing(Decimal("0.25"), Decimal("0.18"), Decimal("0.10"))},
    "product_pricing": {2: Pricing(None, Decimal("0.07"), Decimal(1))},
}
ZONE = "America/Lima"
NO_PRICING: dict[str, object] = {"category_pricing": {}, "product_pricing": {}}


def own_views() -> set[str]:
    """Our views, of which each has its file."""
    return {path.stem for path in sql_folder("olap/views").glob("mv_*.sql")}


def trade(shop: Shop, until: datetime) -> None:
    """Fifteen months of a shop with branches, none, negative stock, taxes and quiet products."""
    random = Random(7)
    for branch in (1, 2):
        shop.branch(branch)
    for product in range(1, 9):
        shop.product(product, [None, "Lácteos", "Abarrotes"][product % 3])
    with shop.transaction() as cursor:
        for day in range(450, -1, -3):
            # Near midnight in Lima, so that the zone decides the day.
            when = until - timedelta(days=day, hours=random.choice([0, 5, 6]), minutes=10)
            branch = random.choice([None, 1, 2])
            product = random.randint(1, 7)
            lines = [(product, random.randint(1, 9), Decimal(random.randint(100, 900)) / 100)]
            shop.document("VENTA", when, lines, id_sucursal=branch, cursor=cursor)
            if day % 12 == 0:
                cost = Decimal(random.randint(50, 400)) / 100
                lines = [(product, random.randint(5, 40), cost)]
                shop.document("ENTRADA_MERCANCIA", when, lines, id_sucursal=branch, cursor=cursor)
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dw.politica_precio VALUES"
            " (NULL, 'Lácteos', 0.25, 0.18, 0.10), (2, NULL, NULL, 0.07, 1)"
        )


def assert_views(shop: Shop, initial: datetime, hasta: datetime, **rules: object) -> None:
    """The tables and the views are the replay's."""
    replay = assert_olap_equals_replay(shop, initial, **{"zone": ZONE, **PRICING, **rules})
    found = view_differences(shop.olap, replay, hasta)
    assert not found, "\n".join(found)


# A month's last day, the day after it, and one in between.
@pytest.mark.parametrize("day", ["2026-09-30", "2026-10-01", "2026-10-17"])
def test_every_view_is_what_plain_decimal_says(shop: Shop, day: str):
    hasta = datetime.fromisoformat(f"{day}T23:00:00+00:00")
    initial = hasta - timedelta(days=460)
    trade(shop, hasta)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run_in_process(as_of=hasta)
    assert_views(shop, initial, hasta)


def test_a_rate_holds_from_its_day_on(shop: Shop):
    hasta = datetime(2026, 10, 17, 23, tzinfo=UTC)
    initial = hasta - timedelta(days=460)
    trade(shop, hasta)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run_in_process(as_of=hasta)
    before = net_sales(shop)
    with shop.olap.cursor() as cursor:
        # A category goes before all the shop, a product after it, and once more on a day to come.
        cursor.execute(
            "INSERT INTO dw.politica_precio (id_producto, categoria, desde, margen, impuesto)"
            " VALUES (NULL, NULL, '2026-04-01', NULL, 0.15),"
            " (NULL, 'Lácteos', '2026-02-01', NULL, 0.05),"
            " (2, NULL, '2026-10-18', 0.5, 0.2), (2, NULL, '2026-06-30', NULL, 0.12)"
        )
    for hours in (1, 24, 48):
        later = hasta + timedelta(hours=hours)
        shop.sale(later - timedelta(minutes=30), (2, 1, 9), (5, 2, 7))
        shop.run_in_process(as_of=later)
        assert_views(shop, initial, later, **read_pricing(shop.olap))
        assert shop.command("verify", "--all").returncode == 0
    after = net_sales(shop)
    assert {mes: net for mes, net in after.items() if mes < date(2026, 2, 1)} == {
        mes: net for mes, net in before.items() if mes < date(2026, 2, 1)
    }
    assert after[date(2026, 5, 1)] != before[date(2026, 5, 1)]
    # A rate that was dated wrongly: only what lies between moves.
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "UPDATE dw.politica_precio SET desde = '2026-03-01' WHERE desde = '2026-04-01'"
        )
    shop.run_in_process(as_of=later + timedelta(hours=1))
    assert_views(shop, initial, later + timedelta(hours=1), **read_pricing(shop.olap))
    again = net_sales(shop)
    assert {mes for mes in after if again[mes] != after[mes]} == {date(2026, 3, 1)}
    # One that is changed for ever is told.
    rewritten = "tax of 1 of the products that are sold was changed without a date"
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "UPDATE dw.politica_precio SET impuesto = 0.02 WHERE id_producto = 2 AND desde IS NULL"
        )
    last = later + timedelta(hours=2)
    assert rewritten in shop.run("--as-of", f"{last:%Y-%m-%dT%H:%M:%SZ}").stdout
    assert_views(shop, initial, last, **read_pricing(shop.olap))


@pytest.mark.parametrize("day", ["2026-10-05", "2026-11-01", None])
def test_a_policy_whose_row_of_all_is_dated_or_gone(shop: Shop, day: str | None):
    """Somebody gives a date to the row that is there, in the place of a second one."""
    hasta = datetime(2026, 10, 17, 23, tzinfo=UTC)
    initial = hasta - timedelta(days=30)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.product(1)
    shop.receipt(initial, (1, 90, 2))
    for number in range(29):
        shop.sale(initial + timedelta(days=number), (1, 1, 9))
    shop.run_in_process(as_of=hasta)
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET desde = %s, impuesto = 0.18", (day,))
        if day is None:
            cursor.execute("DELETE FROM dw.politica_precio")
    shop.product(2)
    shop.receipt(hasta, (2, 5, 10))
    shop.sale(hasta, (1, 2, 9))
    shop.run_in_process(as_of=hasta + timedelta(hours=1))
    assert_olap_equals_replay(shop, initial, zone=ZONE)
    assert shop.command("verify", "--all").returncode == 0


def net_sales(shop: Shop) -> dict[date, Decimal]:
    """The net sales of each month."""
    rows = shop.olap_rows(
        "SELECT mes, sum(venta_neta) AS neta FROM dw.mv_margen_producto_mes GROUP BY mes"
    )
    return {row["mes"]: row["neta"] for row in rows}


def test_every_view_is_what_plain_decimal_says_of_all_types(shop: Shop):
    hasta = datetime(2026, 10, 17, 23, tzinfo=UTC)
    initial = hasta - timedelta(days=460)
    trade_of_ten(shop, hasta)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run_in_process(as_of=hasta)
    types = shop.olap_rows("SELECT DISTINCT tipo FROM dw.v_kardex WHERE nombre_tipo <> tipo")
    assert {row["tipo"] for row in types} == set(KINDS)
    assert_views(shop, initial, hasta, **NO_PRICING)


def test_a_product_that_moves_takes_its_history_along(shop: Shop):
    hasta = datetime(2026, 10, 17, 23, tzinfo=UTC)
    initial = hasta - timedelta(days=460)
    trade(shop, hasta)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run_in_process(as_of=hasta)
    shop.product(3, "Lácteos")
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.10 WHERE id_producto = 2")
    later = hasta + timedelta(hours=1)
    shop.run_in_process(as_of=later)
    changed = {2: Pricing(None, Decimal("0.10"), Decimal(1))}
    assert_views(shop, initial, later, product_pricing=changed)

    shop.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    latest = later + timedelta(hours=1)
    shop.run_in_process(as_of=latest)
    assert_views(shop, initial, latest, product_pricing=changed, prices_include_tax=False)


def test_the_function_refreshes_them_all(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
    shop.run_in_process()
    with shop.olap.cursor() as cursor:
        cursor.execute("CREATE MATERIALIZED VIEW dw.a AS SELECT datos_al FROM dw.mv_datos_al")
        cursor.execute("CREATE MATERIALIZED VIEW dw.b AS SELECT 1 AS x")
        cursor.execute("SELECT * FROM dw.refrescar_vistas_materializadas()")
        rows = cursor.fetchall()
    assert {row[0] for row in rows} == {"dw.a", "dw.b"}
    assert all(error is None for *_, error in rows)


@pytest.mark.one_postgres
def test_every_list_of_our_views_has_those_that_there_are(shop: Shop):
    """What is granted, examined and reported as ours."""
    with shop.olap.cursor() as cursor:
        # One of the shop's own, which is in none of them, though the dashboards may read it.
        cursor.execute(
            "CREATE MATERIALIZED VIEW dw.mv_mia AS SELECT 1 AS x WITH NO DATA;"
            " GRANT SELECT ON dw.mv_mia TO bi_lector"
        )
    shop.succeed("init")

    def names(query: str) -> set[str]:
        return {row["name"] for row in shop.olap_rows(query)}

    views = "SELECT viewname AS name FROM pg_views WHERE schemaname = 'dw' AND viewname ~ '^mv_'"
    there = names(views)
    assert there == own_views()
    assert names("SELECT split_part(nombre, '.', 2) AS name FROM etl.vistas_por_refrescar()") == {
        "mv_mia"
    }
    may = " AND has_table_privilege('bi_lector', 'dw.' || viewname, 'SELECT')"
    assert names(views + may) == there
    promised = {
        row["relacion"] for row in shop.olap_rows(read_sql("olap/diagnostico", "tableros.sql"))
    }
    assert {name for name in promised if name.startswith("dw.mv_")} == {f"dw.{n}" for n in there}


@pytest.mark.one_postgres
def test_a_view_of_the_shops_own_is_refreshed_or_reported_and_stops_nothing(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "CREATE MATERIALIZED VIEW dw.a_de_ventas AS SELECT sum(unidades) AS u"
            " FROM dw.mv_ventas_diarias WITH NO DATA;"
            "CREATE MATERIALIZED VIEW dw.rota AS"
            " SELECT 1 / (count(*) - count(*)) AS x FROM dw.kardex WITH NO DATA"
        )
    done = shop.run()
    assert shop.olap_rows("SELECT u FROM dw.a_de_ventas") == [{"u": 2}]
    assert "dw.a_de_ventas: no unique index" in done.stdout
    assert "dw.rota: division by zero" in done.stdout
    assert shop.olap_rows("SELECT sum(unidades) AS u FROM dw.mv_ventas_diarias") == [{"u": 2}]


@pytest.mark.one_postgres
def test_a_reader_is_not_held_up_by_a_refresh(shop: Shop):
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
    shop.run_in_process()
    reader = shop.server.connect(shop.olap_name)
    reader.autocommit = False
    try:
        # Holds what a dashboard's query holds; a refresh that wanted more would time out.
        reader.cursor().execute("SELECT * FROM dw.mv_ventas_diarias, dw.mv_abc, dw.v_kardex")
        shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))
        shop.run_in_process()
    finally:
        reader.close()


def test_rolling_sales_follow_the_cut(shop: Shop):
    """Windows a day, a quarter and more than a year apart; sales dated behind and ahead of them."""
    random = Random(11)
    end = datetime(2026, 10, 17, 3, tzinfo=UTC)
    gaps = [0, 1, 1, 29, 61, 90, 91, 2, 364, 366, 3]
    moment = end - timedelta(days=sum(gaps))
    initial = moment - timedelta(days=500)
    shop.env |= {
        "ETL_TIMEZONE": ZONE,
        "ETL_INITIAL_SINCE": initial.isoformat(),
        "ETL_MAX_SILENT_DAYS": "9999",
    }
    trade(shop, moment)
    pricing = dict(PRICING["product_pricing"])
    for step, gap in enumerate(gaps):
        moment += timedelta(days=gap, minutes=1)
        with shop.transaction() as cursor:
            for _ in range(25):
                when = min(moment + timedelta(days=random.randint(-420, 70)), end)
                lines = [
                    (random.randint(1, 8), random.randint(1, 9), Decimal(random.randint(1, 99)))
                ]
                kind = random.choice(["VENTA", "VENTA", "ENTRADA_MERCANCIA"])
                shop.document(kind, when, lines, cursor=cursor)
        if step % 3 == 1:
            # On the very day that the cut moves: what leaves does so at the tax it had.
            tax = Decimal(step) / 100
            pricing[2] = Pricing(None, tax, Decimal(1))
            with shop.olap.cursor() as cursor:
                cursor.execute(
                    "UPDATE dw.politica_precio SET impuesto = %s WHERE id_producto = 2", (tax,)
                )
        if step % 4 == 2:
            shop.product(3, random.choice(["Lácteos", "Abarrotes", None]))
        shop.run_in_process(as_of=moment)
        assert_views(shop, initial, moment, product_pricing=pricing)


def test_what_is_no_longer_sold_leaves_the_rolling_sums_without_a_new_movement(shop: Shop):
    end = datetime(2026, 10, 17, 3, tzinfo=UTC)
    initial = end - timedelta(days=600)
    shop.env |= {"ETL_INITIAL_SINCE": initial.isoformat(), "ETL_MAX_SILENT_DAYS": "9999"}
    shop.product(1)
    shop.sale(initial, (1, 2, 3))
    for moment in (initial + timedelta(days=1), end):
        shop.run_in_process(as_of=moment)
        assert_olap_equals_replay(shop, initial)


def test_an_average_value_follows_the_month_ends_without_a_new_movement(shop: Shop):
    end = datetime(2026, 10, 17, 3, tzinfo=UTC)
    shop.env |= {
        "ETL_INITIAL_SINCE": (end - timedelta(days=300)).isoformat(),
        "ETL_MAX_SILENT_DAYS": "9999",
    }
    soon_enough(shop)
    shop.product(1)
    shop.receipt(end - timedelta(days=60), (1, 10, 2))
    shop.receipt(end - timedelta(days=20), (1, 10, 2))
    whole = "none was clean before"
    for days, average in ((19, 20), (0, 30)):
        shop.run_in_process(as_of=end - timedelta(days=days))
        assert shop.olap_rows("SELECT valor_promedio AS v FROM dw.mv_rotacion") == [{"v": average}]
        # A short proof looks at what was touched, and this is another figure of all products.
        code, findings = verified(shop)
        assert (code, findings["whole"]) == (0, whole)
        whole = "a month ended"


def test_an_olap_of_version_1_is_upgraded_with_its_data(shop: Shop):
    hasta = datetime(2026, 10, 17, 23, tzinfo=UTC)
    initial = hasta - timedelta(days=460)
    trade(shop, hasta)
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run_in_process(as_of=hasta)
    install_old(shop, OLD[0])
    with shop.olap.cursor() as cursor:
        cursor.execute("CREATE VIEW dw.mi_vista AS SELECT * FROM dw.mv_abc")
    refused = shop.command("init")
    assert refused.returncode == 1
    told = [line for line in refused.stdout.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "view dw.mi_vista depends on materialized view dw.mv_abc" in told[0]
    assert shop.olap_rows("SELECT esquema FROM etl.control") == [{"esquema": 1}]

    with shop.olap.cursor() as cursor:
        cursor.execute("DROP VIEW dw.mi_vista")
    assert "upgraded from version 1" in shop.succeed("init").stdout
    assert_views(shop, initial, hasta)
    shop.sale(hasta, (1, 2, 3))
    shop.run_in_process(as_of=hasta + timedelta(hours=1))
    assert_views(shop, initial, hasta + timedelta(hours=1))


@pytest.mark.one_postgres
def test_who_was_let_to_read_a_view_may_read_it_after_an_upgrade(shop: Shop):
    install_old(shop, REPOSITORY / "tests/versions/olap_11.sql")
    view = "dw.mv_precios"
    shop.olap.cursor().execute(
        f"GRANT SELECT ON {view} TO {OLTP_USER}, PUBLIC;"
        " REVOKE ALL ON dw.mv_datos_al FROM bi_lector"
    )
    shop.succeed("init")
    may = "SELECT has_table_privilege(%s, %s, 'SELECT') AS may"
    for user, reads in ((OLTP_USER, view), (OLAP_USER, view), (BI_USER, view)):
        assert shop.olap_rows(may, user, reads) == [{"may": True}]
    assert shop.olap_rows(may, OLTP_USER, "dw.mv_abc") == [{"may": False}]


@pytest.mark.one_postgres
def test_views_of_the_shops_own_on_ours_stop_an_upgrade_and_are_named(shop: Shop):
    install_old(shop, REPOSITORY / "tests/versions/olap_11.sql")
    shop.olap.cursor().execute(
        "CREATE VIEW dw.una AS TABLE dw.mv_abc; CREATE VIEW dw.otra AS TABLE dw.mv_datos_al"
    )
    refused = shop.command("init")
    (told,) = [line for line in refused.stdout.splitlines() if line.startswith("error: ")]
    assert refused.returncode == 1 and "dw.una" in told and "dw.otra" in told, refused.stdout
    assert "materialized view dw.mv_abc" in told and "create them again" in refused.stdout
    assert shop.olap_rows("SELECT esquema FROM etl.control") == [{"esquema": 11}]
    shop.olap.cursor().execute("DROP VIEW dw.una, dw.otra")
    assert "upgraded from version 11" in shop.succeed("init").stdout


def test_a_quotient_is_rounded_once(shop: Shop):
    """To six digits of the whole quotient, not of the sixteen that PostgreSQL stops at."""
    end = datetime(2026, 5, 31, 12, tzinfo=UTC)
    initial = end - timedelta(days=100)
    shop.env["ETL_INITIAL_SINCE"] = initial.isoformat()
    shop.product(1)
    first = end - timedelta(days=30)
    shop.receipt(first, (1, Decimal(10**10), 0))
    shop.sale(first, (1, Decimal("34.402186"), 0))
    shop.run_in_process(as_of=end)
    (row,) = shop.olap_rows(
        "SELECT existencias, dias_medidos, dias_cobertura FROM dw.mv_reposicion"
    )
    exact = Fraction(row["existencias"]) * row["dias_medidos"] / Fraction("34.402186")
    assert row["dias_cobertura"] == Decimal(round(exact * 10**6)).scaleb(-6)
    assert view_differences(shop.olap, replay_shop(shop, initial), end) == []
