"""The page that a shopkeeper acts from, of shops whose figures are reckoned by hand."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, running_browser
from shop_database import Shop
from shop_server import REPOSITORY
from shop_words import own_words
from ten_types import movement

from pipeline.report.figures import Figures, read_figures
from pipeline.report.page import render_page
from pipeline.report.publish import build_page, order_beside, publish_all
from pipeline.settings import load_settings
from pipeline.state.told import Failed, Memory, remember

pytestmark = pytest.mark.one_postgres

DAY = timedelta(days=1)


def figures_of(shop: Shop) -> Figures:
    """What the views say now."""
    with shop.environment():
        return read_figures(load_settings())


def page_of(shop: Shop) -> str:
    """The page in Spanish, without what is not for the eye."""
    return re.sub(r"<style>.*?</style>", "", render_page(figures_of(shop), "es"), flags=re.S)


def section(page: str, name: str) -> str:
    """A part of the page, from its id to the next."""
    (_, found) = page.split(f'id="{name}"', 1)
    return re.split(r'<(?:section|details) id="', found)[0]


def products(figures: Figures, name: str) -> list[int]:
    """The products of a list."""
    return [row["id_producto"] for row in figures.lists[name]]


# Figures that are those of the till and the shelf


def test_the_pace_is_that_of_the_days_since_it_came_in(shop: Shop):
    """One that came in six days ago and sold 150 has two days left of 50, and not thirty."""
    now = datetime.now(UTC)
    shop.env["ETL_INITIAL_SINCE"] = (now - 400 * DAY).isoformat()
    for product in range(1, 5):
        shop.product(product)
    shop.receipt(now - 6 * DAY, (1, 200, 1))
    shop.sale(now - 2 * DAY, (1, 150, 2))
    # An old one at the pace of all ninety days, and two that nobody bought: since days, and a year.
    shop.receipt(now - 300 * DAY, (2, 1000, 1), (4, 10, 7))
    shop.sale(now - DAY, (2, 90, 2))
    shop.receipt(now - 5 * DAY, (3, 10, 50))
    shop.run_in_process()
    rows = shop.olap_rows(
        "SELECT id_producto, venta_diaria, dias_cobertura, dias_medidos, por_pedir"
        " FROM dw.mv_reposicion WHERE id_producto <= 2 ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, 25, 2, 6, 25 * 30 - 50),
        (2, 1, 910, 90, 0),
    ]
    branch = shop.olap_rows(
        "SELECT venta_diaria, dias_medidos FROM dw.v_reposicion_sucursal WHERE id_producto = 1"
    )
    assert [tuple(row.values()) for row in branch] == [(25, 6)]
    figures = figures_of(shop)
    assert products(figures, "por_agotarse") == [1]
    # What came in days ago is not what hardly moves.
    assert products(figures, "lentos") == [2, 4]
    ages = {row["tramo"]: (row["productos"], row["valor"]) for row in figures.lists["antiguedad"]}
    assert ages == {"1: menos de 90": (3, 50 + 910 + 500), "3: 180 a 364": (1, 70)}


def test_the_pace_of_what_came_back_is_that_of_the_days_since(shop: Shop):
    """Gone for a year and here for six days; what was there all the time goes by ninety."""
    now = datetime.now(UTC)
    shop.env["ETL_INITIAL_SINCE"] = (now - 800 * DAY).isoformat()
    for branch in (1, 2):
        shop.branch(branch)
    for product in range(1, 6):
        shop.product(product)
    # Sold two years ago, to the last one; 2 had been sold before its receipt, and still is.
    shop.receipt(now - 750 * DAY, (1, 40, 1), (3, 40, 1), (4, 40, 1), (5, 40, 1), id_sucursal=1)
    shop.sale(now - 740 * DAY, (1, 40, 2), (2, 9, 2), (4, 40, 2), (5, 40, 2), id_sucursal=1)
    shop.receipt(now - 6 * DAY, (1, 230, 1), id_sucursal=1)
    for days in range(6, 0, -1):
        shop.sale(now - days * DAY + timedelta(hours=1), (1, 30, 2), id_sucursal=1)
    shop.sale(now - 3 * DAY, (2, 9, 2), (3, 9, 2), id_sucursal=1)
    # It came back to the other branch from elsewhere; of the last, nothing is sold since.
    shop.receipt(now - 100 * DAY, (4, 50, 1), id_sucursal=1)
    with shop.transaction() as cursor:
        columns = {"cantidad": 20, "id_sucursal": 1, "id_sucursal_destino": 2}
        movement(cursor, "TRASLADO", now - 10 * DAY, 4, **columns)
    shop.sale(now - 2 * DAY, (4, 10, 2), id_sucursal=2)
    shop.receipt(now - 6 * DAY, (5, 10, 1), id_sucursal=1)
    shop.run_in_process()
    rows = shop.olap_rows(
        "SELECT id_producto, venta_diaria, dias_medidos, por_pedir FROM dw.mv_reposicion ORDER BY 1"
    )
    tenth, ninth = Decimal("0.1"), Decimal("0.111111")
    assert [tuple(row.values()) for row in rows] == [
        (1, 30, 6, 30 * 30 - 50),
        (2, tenth, 90, 3 + 18),
        (3, tenth, 90, 0),
        (4, ninth, 90, 0),
        (5, 0, 90, 0),
    ]
    branches = shop.olap_rows(
        "SELECT id_producto, id_sucursal, venta_diaria, dias_medidos FROM dw.v_reposicion_sucursal"
        " WHERE dias_medidos IS NOT NULL ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in branches] == [
        (1, 1, 30, 6),
        (2, 1, tenth, 90),
        (3, 1, tenth, 90),
        (4, 2, 1, 10),
    ]


def test_a_margin_at_no_firm_cost_says_so(shop: Shop):
    yesterday = datetime.now(UTC) - DAY
    for product in (1, 2, 3):
        shop.product(product, "Uno" if product < 3 else "Otro")
    shop.receipt(yesterday - DAY, (1, 100, 1), (3, 10, 0))
    # Six of ten at a cost that is known; three were not received, one came in for nothing.
    shop.sale(yesterday, (1, 6, 10), (2, 3, 10), (3, 1, 10))
    shop.run_in_process()
    page = page_of(shop)
    assert "40.0% de las ventas no tiene costo firme" in page.replace("40,0", "40.0")
    seen = {row["id_producto"]: row["dos_meses"] for row in figures_of(shop).lists["dudoso"]}
    assert seen == {2: 30, 3: 10}
    for name in ("categories", "best-sellers"):
        assert "Sin costo firme" in section(page, name)
    # Of one category a third, of the other all.
    cells = re.findall(r'data-label="Sin costo firme"[^>]*>([^<]*)<', section(page, "categories"))
    assert [cell.replace(",", ".") for cell in cells] == ["33.3%", "100.0%"]
    # Once they are received, and the other is what it is, no more is said of them.
    shop.receipt(yesterday + timedelta(minutes=1), (2, 10, 4))
    shop.till("UPDATE detalle_transaccion SET costo_unitario = 2 WHERE costo_unitario = 0")
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    assert figures_of(shop).lists["dudoso"] == []
    assert "costo firme" not in page_of(shop)


def test_what_cost_nothing_at_first_is_told_though_it_cost_something_later(shop: Shop):
    """In one month a product is sold at cost 0, then received, and sold at what that cost."""
    at = datetime.now(UTC).replace(hour=12) - 40 * DAY
    shop.env["ETL_INITIAL_SINCE"] = (at - DAY).isoformat()
    shop.product(1)
    shop.receipt(at, (1, 5, 0))
    shop.sale(at + timedelta(minutes=1), (1, 5, 10))
    shop.receipt(at + timedelta(minutes=2), (1, 5, 4))
    shop.sale(at + timedelta(minutes=3), (1, 2, 10))
    shop.run_in_process()
    rows = shop.olap_rows("SELECT motivo, unidades, venta_bruta FROM dw.v_costo_dudoso")
    assert [tuple(row.values()) for row in rows] == [("sin costo", 5, 50)]


def test_one_title_has_one_figure(shop: Shop):
    yesterday = datetime.now(UTC) - DAY
    for product in (1, 2):
        shop.product(product)
    shop.receipt(yesterday, (1, 10, 5), (2, 1, 5))
    shop.sale(yesterday + timedelta(minutes=1), (2, 5, 9))
    shop.run_in_process()
    page = page_of(shop)
    titles = re.findall(r">\s*(Valor del inventario[^<]*)<", page)
    assert set(titles) == {
        "Valor del inventario",
        "Valor del inventario menos lo que está bajo cero, día por día",
    }
    assert "50,00" in page and "30,00" in section(page, "value")
    assert "-20,00 bajo cero" in section(page, "value")


def test_what_there_was_at_the_end_of_any_day(shop: Shop):
    """Product by product, it adds up to the value of each day."""
    begin = datetime.now(UTC) - 20 * DAY
    shop.env["ETL_INITIAL_SINCE"] = begin.isoformat()
    for product in (1, 2, 3):
        shop.product(product)
        for number in range(1, 20, product):
            shop.receipt(begin + number * DAY, (product, number, product))
            shop.sale(begin + number * DAY + timedelta(minutes=1), (product, 2 * product, 9))
    shop.run_in_process()
    different = shop.olap_rows(
        "SELECT d.dia, d.valor, e.valor AS otro FROM dw.mv_valor_diario AS d CROSS JOIN LATERAL"
        " (SELECT sum(x.valor) AS valor FROM dw.existencias_al(d.dia) AS x) AS e"
        " WHERE d.valor <> e.valor"
    )
    assert different == []
    assert len(shop.olap_rows("SELECT FROM dw.mv_valor_diario")) == 19
    assert shop.olap_rows(f"SELECT FROM dw.existencias_al('{begin.date() - DAY}')") == []


# What to look at first


def test_what_is_wrong_comes_first_in_the_shops_words(shop: Shop):
    yesterday = datetime.now(UTC) - DAY
    shop.product(1, codigo="AR-5")
    shop.receipt(yesterday, (1, 10, 5))
    (line,) = shop.sale(yesterday, (1, None, 9))
    shop.sale(yesterday, (1, 1, 9))
    shop.till("ALTER TABLE transacciones DROP CONSTRAINT IF EXISTS transacciones_tipo_check")
    shop.document("REGALO", yesterday, [(1, 1, 1)])
    shop.run_in_process()
    page = page_of(shop)
    found = section(page, "rejects")
    for said in ("Producto 1", "AR-5", str(line), "no tiene cantidad"):
        assert said in found
    assert "REGALO" in section(page, "out-of-scope")
    order = [page.index(text) for text in ("Qué está mal", 'class="cards"', "Qué pedir")]
    assert order == sorted(order)
    # One that is as it should be says so.
    shop.till("UPDATE detalle_transaccion SET cantidad = 1 WHERE id_detalle = %s", line)
    shop.till("UPDATE transacciones SET anulada = true WHERE tipo = 'REGALO'")
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    assert "Nada: todo está como debe" in page_of(shop)


def test_an_old_data_set_says_when_its_last_sale_was(shop: Shop):
    now = datetime.now(UTC)
    shop.env["ETL_INITIAL_SINCE"] = (now - 900 * DAY).isoformat()
    shop.product(1)
    shop.receipt(now - 800 * DAY, (1, 10, 5))
    shop.sale(now - 700 * DAY, (1, 1, 9))
    shop.run_in_process()
    page = page_of(shop)
    assert "La última venta es del" in page and "en los 700 días" in page
    # No tile of zeros.
    assert "Ventas de hoy" not in page and page.count("<li><a ") == 3


def test_runs_that_did_not_come_are_told(shop: Shop):
    now = datetime.now(UTC).replace(microsecond=0)
    for days in (9, 8, 7, 6, 3, 2, 1, 0):
        shop.run_in_process(as_of=now - days * DAY)
    page = page_of(shop)
    assert page.count("Ninguna corrida terminó entre") == 1
    assert "Los datos son viejos" not in page
    # Asked for later, without a run since.
    (old,) = [figures_of(shop)]
    late = Figures(**{**vars(old), "asked": old.asked + 3 * DAY})
    assert "Los datos son viejos" in render_page(late, "es")


def test_runs_that_failed_are_told_with_their_cause(shop: Shop):
    """Whoever is told of them: the state folder knows, and a success does not make it forget."""
    shop.product(1)
    shop.sale(datetime.now(UTC) - DAY, (1, 1, 9))
    shop.run_in_process()
    assert "corrida falló" not in page_of(shop)
    shop.env["ETL_LANG"] = "es"
    query = shop.folder / "consultas"
    query.mkdir()
    for path in (REPOSITORY / "sql" / "oltp").glob("[mps]*s.sql"):
        (query / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    whole = (query / "movimientos.sql").read_text(encoding="utf-8")
    (query / "movimientos.sql").write_text("SELECT 1 AS nada", encoding="utf-8")
    for _ in range(2):
        assert shop.run_due(ETL_OLTP_SQL_DIR=str(query)).returncode == 30
    assert "Una corrida falló" in page_of(shop)
    assert "movimientos.sql" in page_of(shop)
    (query / "movimientos.sql").write_text(whole, encoding="utf-8")
    shop.run(ETL_OLTP_SQL_DIR=str(query))
    assert "Una corrida falló" in page_of(shop)


def test_what_failed_long_ago_is_told_no_more(shop: Shop):
    """Though no run has failed since, which would have made the folder forget it."""
    shop.run_in_process()
    now = datetime.now(UTC)
    failed = [Failed(now - 15 * DAY, "antigua"), Failed(now - 13 * DAY, "reciente")]
    remember(Path(shop.env["ETL_STATE_DIR"]), Memory(failed=failed))
    page = page_of(shop)
    assert "reciente" in page and "antigua" not in page


def test_one_failure_hides_no_days_without_a_run(shop: Shop):
    now = datetime.now(UTC).replace(microsecond=0)
    for days in (9, 8, 7, 6, 3, 2, 1, 0):
        shop.run_in_process(as_of=now - days * DAY)
    memory = Memory(failed=[Failed(now - 4 * DAY, "se cortó")])
    remember(Path(shop.env["ETL_STATE_DIR"]), memory)
    page = page_of(shop)
    assert "Una corrida falló" in page and "se cortó" in page
    assert page.count("Ninguna corrida terminó entre") == 1


@pytest.mark.parametrize(
    ("side", "env", "said"),
    [
        ("OLTP", {"OLTP_DB_PORT": "1"}, "no se puede llegar a la base de datos de la tienda"),
        ("OLTP", {"OLTP_DB_PASSWORD": "x"}, "la base de datos de la tienda no deja entrar"),
        ("OLAP", {"OLAP_DB_NAME": "no_hay"}, "la base de datos de estas cifras no deja entrar"),
    ],
    ids=["no shop", "no login", "no OLAP"],
)
def test_a_database_that_fails_is_told_without_its_host_and_account(
    shop: Shop, side: str, env: dict[str, str], said: str
):
    shop.product(1)
    shop.run_in_process()
    shop.env["ETL_LANG"] = "es"
    assert shop.run_due(**env).returncode in (30, 35)
    found = re.findall(r"<li>(Una corrida falló[^<]*)</li>", page_of(shop))
    assert len(found) == 1 and said in found[0]
    place = ("HOST", "PORT", "NAME", "USER")
    told = {shop.env.get(f"{side}_DB_{name}", "") for name in place} | {"DB_", *env.values()}
    assert not [word for word in told if len(word) > 2 and word in found[0]]


# Today and this month


def test_periods_end_with_the_same_day(shop: Shop):
    """The last of March beside all of February, and the year before."""
    until = datetime(2026, 3, 31, 20, tzinfo=UTC)
    shop.env["ETL_INITIAL_SINCE"] = "2025-01-01"
    shop.olap.cursor().execute("UPDATE dw.politica_precio SET impuesto = 0.18")
    shop.product(1)
    sold = {
        "2026-03-31": 1,
        "2026-03-24": 2,
        "2026-03-01": 4,
        "2026-02-28": 8,
        "2026-02-01": 16,
        "2026-01-31": 32,
        "2025-04-01": 64,
        "2025-03-31": 128,
        "2025-03-01": 256,
    }
    shop.receipt(datetime(2025, 1, 2, tzinfo=UTC), (1, 1000, 1))
    for day, units in sold.items():
        shop.sale(datetime.fromisoformat(f"{day}T12:00:00+00:00"), (1, units, "1.18"))
    shop.run_in_process(as_of=until)
    rows = figures_of(shop).lists["periodos"]
    assert {row["periodo"]: row["venta"] for row in rows} == {
        "hoy": 1,
        "hace una semana": 2,
        "hace un año": 64,
        "este mes": 1 + 2 + 4,
        "el mes pasado": 8 + 16,
        "este mes, hace un año": 128 + 256,
    }
    assert [row["bruta"] for row in rows] == [row["venta"] * Decimal("1.18") for row in rows]
    # The shop's name, and the tile that is what is in the drawer.
    shop.env |= {"ETL_SHOP_NAME": "Bodega <Ñ>", "ETL_CURRENCY": "S/"}
    page = page_of(shop)
    assert "<h1>Bodega &lt;Ñ&gt;</h1>" in page
    assert re.search(r"Ventas de hoy</span> <strong[^>]*>S/\N{NO-BREAK SPACE}1[.,]18<", page)
    assert re.search(r"sin impuesto 1[.,]00", page)


def test_hours_are_those_of_the_shop_and_its_branches(shop: Shop):
    shop.env["ETL_TIMEZONE"] = "America/Lima"
    shop.env["ETL_INITIAL_SINCE"] = "2026-01-01"
    shop.product(1)
    for branch in (1, 2):
        shop.branch(branch)
    # Thursday, 22:30 in Lima, which is Friday in UTC; and a Friday at seven.
    for week in range(4):
        shop.sale(
            datetime(2026, 4, 3, 3, 30, tzinfo=UTC) + 7 * week * DAY, (1, 1, 8), id_sucursal=1
        )
        shop.sale(datetime(2026, 4, 3, 12, tzinfo=UTC) + 7 * week * DAY, (1, 2, 8), id_sucursal=2)
    shop.run_in_process(as_of=datetime(2026, 4, 27, 12, tzinfo=UTC))
    found = [
        (row["id_sucursal"] or 0, row["dia_semana"], row["hora"], row["venta"])
        for row in figures_of(shop).lists["horas"]
    ]
    assert sorted(found) == [(0, 4, 22, 8), (0, 5, 7, 16), (1, 4, 22, 8), (2, 5, 7, 16)]
    page = page_of(shop)
    assert "Sucursal 2" in section(page, "hours")


# Lists that are whole


def sold_out(shop: Shop, many: int) -> None:
    """So many products that sell and are not there."""
    yesterday = datetime.now(UTC) - DAY
    lines: list[Any] = []
    for product in range(1, many + 1):
        shop.product(product, codigo=f"C-{product}")
        lines.append((product, 2, 9))
    shop.receipt(yesterday, *((product, 2, 5) for product, _, _ in lines))
    shop.sale(yesterday + timedelta(minutes=1), *lines)


def test_every_product_that_is_out_is_there_and_in_the_file_beside(shop: Shop, tmp_path: Path):
    sold_out(shop, 130)
    shop.till("UPDATE productos SET nombre = '=1+1' WHERE id_producto = 1")
    shop.run_in_process()
    page = page_of(shop)
    assert section(page, "out-of-stock").count('th scope="row"') == 130
    assert "120 más" in section(page, "out-of-stock")
    # A list that is cut says of how many, and where the rest is.
    assert "Se muestran 100 de 130; el resto: dw.mv_margen_producto_mes." in page
    path = tmp_path / "informe.html"
    with shop.environment():
        publish_all(build_page(load_settings(), path), path)
    text = order_beside(path).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["codigo"] for row in rows} == {f"C-{n}" for n in range(1, 131)}
    assert {row["por_pedir"] for row in rows} == {"60"}
    # A name is no formula, whatever a spreadsheet takes it for.
    assert [row["nombre"] for row in rows if row["codigo"] == "C-1"] == ["'=1+1"]
    assert f'href="{order_beside(path).name}"' in path.read_text(encoding="utf-8")


def test_whom_it_is_ordered_from_stands_beside_where_the_query_says_it(shop: Shop, tmp_path: Path):
    """In the lists, the file and the view; a shop whose query does not sees nothing of it."""
    sold_out(shop, 3)
    shop.run_in_process()

    def written() -> str:
        with shop.environment():
            return build_page(load_settings()).order.splitlines()[0]

    assert "Proveedor" not in page_of(shop)
    assert "proveedor" not in written()
    own_words(shop)
    shop.till("UPDATE productos SET proveedor = 'Ñandú & Cía.' WHERE id_producto = 2")
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    found = section(page_of(shop), "out-of-stock")
    assert re.findall(r'data-label="Proveedor">([^<]*)<', found) == ["", "Ñandú &amp; Cía.", ""]
    assert written().endswith(",por_pedir,proveedor")
    rows = shop.olap_rows("SELECT id_producto FROM dw.mv_reposicion WHERE proveedor IS NOT NULL")
    assert [row["id_producto"] for row in rows] == [2]
    # Another one, or none any more: with the next window.
    shop.till("UPDATE productos SET proveedor = nullif(proveedor, 'Ñandú & Cía.')")
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=4))
    assert "proveedor" not in written()


def test_what_a_branch_lacks_is_listed_with_how_much_and_of_whom(shop: Shop, tmp_path: Path):
    """On the page, and whole in a file beside it; of one branch alone there is neither."""
    yesterday = datetime.now(UTC) - DAY
    for product in range(1, 131):
        shop.product(product, "Una" if product < 130 else "Otra", codigo=f"C-{product}")
    for branch in (1, 2):
        shop.branch(branch)
    lines = [(product, 3, 9) for product in range(1, 131)]
    shop.receipt(yesterday - DAY, *((product, 5, 5) for product, _, _ in lines), id_sucursal=1)
    shop.sale(yesterday, *lines, id_sucursal=1)
    own_words(shop)
    shop.till("UPDATE productos SET proveedor = 'Ñandú & Cía.' WHERE id_producto = 2")
    policy = "INSERT INTO dw.politica_reposicion (categoria, dias) VALUES ('Otra', 10)"
    shop.run_in_process()
    shop.olap.cursor().execute(policy)
    path, beside = tmp_path / "informe.html", tmp_path / "informe-por-sucursal.csv"

    def published() -> str:
        with shop.environment():
            publish_all(build_page(load_settings(), path), path)
        return section(path.read_text(encoding="utf-8"), "branch-reorder")

    assert "data-label" not in published() and not beside.exists()
    # The second branch has one of each, and sells two a day.
    shop.receipt(yesterday - DAY, *((product, 4, 5) for product, _, _ in lines), id_sucursal=2)
    shop.sale(yesterday, *lines, id_sucursal=2)
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    found = published()
    assert found.count('th scope="row"') == 260 and "Shown: " not in found
    suppliers = re.findall(r'data-label="Supplier">([^<]*)<', found)
    assert sorted(set(suppliers)) == ["", "Ñandú &amp; Cía."] and suppliers.count("") == 258
    assert f'href="{beside.name}"' in found
    with beside.open(encoding="utf-8-sig", newline="") as file:
        rows = {(row["codigo"], row["sucursal"]): row for row in csv.DictReader(file)}
    assert len(rows) == 260
    assert [row["proveedor"] for row in rows.values() if row["codigo"] == "C-2"] == [
        "Ñandú & Cía.",
        "Ñandú & Cía.",
    ]
    # Three in two days since it came in, for thirty days or for ten, less what is there.
    for code, days in (("C-1", 30), ("C-130", 10)):
        for branch, stock, elsewhere in ((1, 2, 1), (2, 1, 2)):
            row = rows[code, f"Sucursal {branch}"]
            columns = ("existencias", "dias_deseados", "por_pedir", "en_otras")
            assert [Decimal(row[name]) for name in columns] == [
                stock,
                days,
                days * 3 / Decimal(2) - stock,
                elsewhere,
            ]
    # With one branch again, nobody orders from what was written before.
    shop.till("UPDATE transacciones SET id_sucursal = 1")
    shop.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=4))
    published()
    assert not beside.exists()


def test_a_blank_makes_no_other_supplier(shop: Shop):
    """One product that the query yields twice is one, if blanks alone tell its suppliers apart."""
    shop.product(1)
    shop.receipt(datetime.now(UTC) - DAY, (1, 10, 5))
    own_words(shop)
    query = Path(shop.env["ETL_OLTP_SQL_DIR"]) / "productos.sql"
    text = query.read_text(encoding="utf-8")
    twice = text.replace("p.proveedor", "'Gloria' || repeat(' ', n) AS proveedor")
    twice = twice.replace("productos AS p", "productos AS p CROSS JOIN generate_series(0, 1) AS n")
    assert twice.count("n)") == 1 and "generate_series" in twice
    query.write_text(twice, encoding="utf-8")
    shop.run_in_process()
    rows = shop.olap_rows("SELECT proveedor FROM dw.mv_reposicion")
    assert [row["proveedor"] for row in rows] == ["Gloria"]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize("width", [320, 390, 1366])
def test_no_figure_of_a_tile_is_broken(shop: Shop, tmp_path: Path, width: int):
    shop.product(1)
    shop.receipt(datetime.now(UTC) - DAY, (1, 1000, "98765.43"))
    shop.run_in_process()
    shop.env |= {"ETL_CURRENCY": "S/"}
    path = tmp_path / "informe.html"
    path.write_text(render_page(figures_of(shop), "es"), encoding="utf-8")
    with running_browser(tmp_path / "profile") as browser:
        browser.open(path.as_uri(), width)
        broken = browser.evaluate(
            "Array.from(document.querySelectorAll('.cards strong')).filter(e =>"
            " e.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(e).fontSize)"
            " || e.scrollWidth > e.clientWidth).map(e => e.textContent)"
        )
    assert broken == []


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_it_prints_without_half_empty_pages(shop: Shop, tmp_path: Path):
    """What is long goes on overleaf: as many pages as its height asks for, and one."""
    sold_out(shop, 30)
    shop.run_in_process()
    path = tmp_path / "informe.html"
    path.write_text(render_page(figures_of(shop), "es"), encoding="utf-8")
    with running_browser(tmp_path / "profile") as browser:
        browser.open(path.as_uri(), 760)
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
        pages = len(re.findall(rb"/Type ?/Page\b", browser.pdf()))
        assert 3 <= pages <= 7
