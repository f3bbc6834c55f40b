"""The report, in a real browser: what it draws and says, against SQL that is asked here."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from browser import CHROMIUM, Browser, running_browser
from local_servers import web_server
from shop_database import LUIGI, Shop, new_shop
from shop_server import PASSWORD, ShopServer, must_succeed, run_program
from ten_types import movement

from pipeline.base.sql_files import sql_folder
from pipeline.base.voice import voice_of
from pipeline.report import publish as publishing
from pipeline.report.figures import LISTS, read_figures
from pipeline.report.page import render_page
from pipeline.report.publish import published_until
from pipeline.settings import load_settings
from pipeline.state.window import Window

pytestmark = pytest.mark.one_postgres
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

ZONE = "America/Lima"
DAY = timedelta(days=1)
EVIL = "Café </svg></title><script>document.title='pwned'</script> & \"co\" ' {{7*7}}"
assert len(EVIL) <= 80  # longer ones are cut
LONG = "Interminable" * 60
# Of the letters that differ most between fonts, of capitals, and of signs that most fonts lack.
WIDE = (
    *("Huevos rosados Vaquita x 30 unidades", "Tttt ffff tttt ffff tttt ffff tttt"),
    *("MAMÁ WAWASANA MMM WWW 100%", "Чай чёрный Щедрый, листовой", "日本酒の大吟醸 七百二十ミリ瓶"),
    "Helado \N{SHAVED ICE}\N{SOFT ICE CREAM}\N{ICE CREAM}\N{DOUGHNUT}\N{COOKIE} de fiesta",
)


def today() -> datetime:
    """Noon in Lima, of the day on which the tests run."""
    return datetime.now(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def trade(shop: Shop) -> None:
    """Forty days of a shop that has something for every section."""
    begin = today() - 40 * DAY
    shop.env |= {"ETL_TIMEZONE": ZONE, "ETL_INITIAL_SINCE": begin.date().isoformat()}
    for product in range(1, 26):
        shop.product(product, f"Categoría {product % 12}", f"C-{product}")
    shop.till("UPDATE productos SET nombre = %s, categoria = %s WHERE id_producto = 1", EVIL, EVIL)
    shop.till("UPDATE productos SET nombre = %s WHERE id_producto = 2", LONG)
    for product, name in enumerate(WIDE, 12):
        shop.till("UPDATE productos SET nombre = %s WHERE id_producto = %s", name, product)
    shop.receipt(begin, *((product, 1000, product) for product in range(1, 26)))
    for number in range(1, 40):
        noon = begin + number * DAY + timedelta(hours=12)
        # The two with odd names are dear, so that they stand in the charts too.
        lines = [(p, 1 + (number * p) % 7, p * 2 if p > 2 else 150) for p in range(1, 20)]
        shop.sale(noon, *lines)
    # No XML may hold the one; the other is a name that JavaScript knows.
    shop.till("UPDATE productos SET nombre = E'Leche \\x0b entera' WHERE id_producto = 19")
    shop.till("UPDATE productos SET nombre = 'constructor' WHERE id_producto = 18")
    # What runs out, what is sold below zero, and what is sold below cost.
    for product, units in ((20, 1000), (21, 1500), (22, 995)):
        shop.sale(begin + 20 * DAY, (product, units, product * 3))
    shop.sale(begin + 30 * DAY, (23, 3, 11), (1, 1, "0.50"))
    shop.receipt(begin + 31 * DAY, (24, 1, 24_000))
    shop.sale(begin + 32 * DAY, (25, None, 3))


@pytest.fixture(scope="module")
def traded(shop_server: ShopServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """That shop, loaded once for this module; whoever changes it takes a `shop` instead."""
    with new_shop(tmp_path_factory.mktemp("traded"), shop_server) as shop:
        trade(shop)
        shop.run()
        yield shop


@pytest.fixture(scope="module")
def page(traded: Shop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of its report, in Spanish."""
    return report(traded, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for this module."""
    with running_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def report(shop: Shop, folder: Path, **env: str) -> str:
    """The report as a file; its URL."""
    path = folder / "informe.html"
    shop.succeed("report", "--output", str(path), **{"ETL_LANG": "es", **env})
    return path.as_uri()


def rows_of(browser: Browser, section: str) -> list[list[str]]:
    """The cells of a section's table; a product is its name and its code."""
    return browser.evaluate(
        f"Array.from(document.querySelectorAll('#{section} tbody tr'),"
        " row => Array.from(row.cells, cell => cell.textContent))"
    )


def marks(browser: Browser, section: str, kind: str) -> int:
    """How many marks of a kind a section's chart has."""
    selector = f"#{section} svg .mark-{kind}.role-mark > *"
    return browser.evaluate(f"document.querySelectorAll('{selector}').length")


def bars(browser: Browser, section: str) -> list[list[float]]:
    """How wide the two bars of each row of a ranking are, in pixels."""
    return browser.evaluate(
        f"Array.from(document.querySelectorAll('#{section} .bars li'), row =>"
        " Array.from(row.querySelectorAll('b'), bar => bar.getBoundingClientRect().width))"
    )


def money(amount: Decimal) -> str:
    """As Peru writes it, and the United States."""
    return f"{amount:,.2f}"


def quantity(number: Decimal) -> str:
    """At most three decimals."""
    text = f"{number:,.3f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# What is seen


@in_browser
@pytest.mark.parametrize(
    ("language", "title"), [("es", "La tienda en cifras"), ("en", "The shop in figures")]
)
def test_it_opens_without_network_scripts_or_complaints(
    traded: Shop, browser: Browser, tmp_path: Path, language: str, title: str
):
    url = report(traded, tmp_path, ETL_LANG=language)
    browser.open(url)
    assert browser.requested[0] == url
    assert all(asked.startswith("data:") for asked in browser.requested[1:])
    assert browser.complaints == []
    assert browser.evaluate("document.querySelectorAll('script, iframe, img').length") == 0
    assert browser.evaluate("document.title").startswith(title)
    assert browser.evaluate("document.documentElement.lang") == language
    # No text of the other language, and none that was forgotten.
    text = browser.evaluate("document.body.textContent")
    other = {"es": "Sales", "en": "Ventas"}[language]
    assert other not in text
    assert "{" not in text.replace("{{7*7}}", "")


@in_browser
def test_the_charts_have_a_mark_for_each_figure(page: str, browser: Browser):
    browser.open(page)
    assert marks(browser, "week", "rect") == 14
    days = len(rows_of(browser, "days"))
    assert days == 39
    assert (marks(browser, "days", "rect"), marks(browser, "days", "line")) == (days, 1)
    for section in ("categories", "best-sellers"):
        assert len(bars(browser, section)) == 10
    assert (marks(browser, "value", "area"), marks(browser, "value", "line")) == (1, 1)
    assert marks(browser, "abc", "rule") == 2
    assert marks(browser, "runs", "rect") == 28
    named = "Array.from(document.querySelectorAll('svg'), s => s.getAttribute('aria-label'))"
    assert all(browser.evaluate(named)) and len(browser.evaluate(named)) == 5
    # Bars stand for their figures: the highest is the largest, and half of it half as high.
    heights = browser.evaluate(
        "Array.from(document.querySelectorAll('#days svg .mark-rect.role-mark > *'),"
        " bar => bar.getBBox().height)"
    )
    sales = [Decimal(row[2].replace(",", "")) for row in reversed(rows_of(browser, "days"))]
    scale = max(heights) / float(max(sales))
    assert heights == pytest.approx([float(sale) * scale for sale in sales], abs=0.5)


@in_browser
def test_every_figure_is_that_of_the_database(traded: Shop, page: str, browser: Browser):
    """Asked of the ledger and the inventory themselves, not of the report's own queries."""
    browser.open(page)
    ask = traded.olap_rows
    local = f"(k.fecha AT TIME ZONE '{ZONE}')::date"
    first = (today() - 7 * DAY).date()
    by_day = {
        row["dia"]: row
        for row in ask(
            f"SELECT {local} AS dia, sum(k.cantidad * k.precio_unitario) FILTER (WHERE tipo ="
            " 'VENTA') AS venta, sum(k.cantidad * k.precio_unitario - k.costo_total) FILTER (WHERE"
            " tipo = 'VENTA') + sum(k.ajuste) AS margen FROM dw.kardex AS k GROUP BY 1"
        )
    }
    expected = []
    for day in (first + n * DAY for n in range(7)):
        now, before = by_day[day], by_day[day - 7 * DAY]
        # Without a tax what is taken is what is sold.
        amounts = (now["venta"], now["venta"], before["venta"], now["margen"], before["margen"])
        expected.append([money(amount) for amount in amounts])
    assert [row[1:] for row in rows_of(browser, "week")] == expected

    products = ask(
        "SELECT i.*, p.codigo, p.nombre FROM dw.inventario AS i JOIN dw.producto AS p"
        " USING (id_producto) ORDER BY id_producto"
    )
    below = [row for row in products if row["existencias"] < 0]
    assert [row["codigo"] for row in below] == ["C-21"]
    (shown,) = rows_of(browser, "below-zero")
    assert shown == ["Producto 21 C-21", quantity(below[0]["existencias"]), "21.00"]
    assert {row[0] for row in rows_of(browser, "out-of-stock")} == {
        "Producto 20 C-20",
        "Producto 21 C-21",
    }
    assert rows_of(browser, "running-out")[0][:2] == ["Producto 22 C-22", "5"]
    worth = sum(row["valor"] for row in products if row["existencias"] > 0)
    card = "document.querySelector('.cards a[href=\"#ageing\"] strong').textContent"
    assert browser.evaluate(card) == money(worth)
    assert rows_of(browser, "value")[0][1] == money(sum(row["valor"] for row in products))

    cost = {row["id_producto"]: row["costo_promedio"] for row in products}
    assert [row[0] for row in rows_of(browser, "below-cost")] == ["Producto 23 C-23"]
    assert rows_of(browser, "below-cost")[0][1:] == ["11.00", "23.00", money(cost[23] - 11)]
    (jump,) = rows_of(browser, "cost-jumps")
    assert (jump[0], jump[3], jump[4]) == ("Producto 24 C-24", "24,000.00", "24.00")
    (reject,) = ask("SELECT motivo, id_movimiento FROM etl.rechazo")
    assert reject["motivo"] == "sin cantidad"
    (shown,) = rows_of(browser, "rejects")
    assert shown[:3] == ["Producto 25 C-25", str(reject["id_movimiento"]), "no tiene cantidad"]
    (run,) = ask("SELECT nuevas, rechazadas FROM etl.corrida")
    ((_, new, *_, rejected, _),) = rows_of(browser, "last-runs")
    assert (new, rejected) == (quantity(run["nuevas"]), "1")

    best = ask(
        "SELECT codigo, sum(unidades) AS unidades, sum(venta_neta) AS venta, sum(margen) AS margen"
        " FROM dw.mv_margen_producto_mes WHERE mes >= date_trunc('month', %s::date) -"
        " interval '1 month' GROUP BY 1 ORDER BY venta DESC LIMIT 10",
        today().date(),
    )
    seen = rows_of(browser, "best-sellers")
    assert len(seen) == 23
    seen = seen[:10]
    widths = [whole for whole, _ in bars(browser, "best-sellers")]
    longest = widths[0] / float(best[0]["venta"])
    assert widths == pytest.approx([float(row["venta"]) * longest for row in best], abs=1)
    assert [row[0].split()[-1] for row in seen] == [row["codigo"] for row in best]
    for cells, row in zip(seen, best, strict=True):
        assert cells[1:3] == [money(row["venta"]), money(row["margen"])]
        assert cells[4] == quantity(row["unidades"])
    classes = ask("SELECT clase, count(*) AS n FROM dw.mv_abc GROUP BY 1 ORDER BY 1")
    assert [row[:2] for row in rows_of(browser, "abc")] == [
        [r["clase"], str(r["n"])] for r in classes
    ]


def test_a_price_is_told_where_it_differs_by_more_than_rounding(shop: Shop):
    """Without tax, in whole cents, nobody can type the suggested price to its last digit."""
    shop.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    yesterday = datetime.now(UTC) - DAY
    shop.olap.cursor().execute(
        "INSERT INTO dw.politica_precio VALUES (NULL, 'Gravados', 0.30, 0.18, 0.01)"
    )
    # 7.10 / (1 - 0.30) * 1.18 is 11.97, rounded up; the nearest prices without tax:
    typed = {1: "10.14", 2: "10.15", 3: "10.16", 4: "9"}
    with_tax = {1: "11.9652", 2: "11.9770", 3: "11.9888", 4: "10.62"}
    for product, price in typed.items():
        shop.product(product, "Gravados")
        shop.receipt(yesterday, (product, 10, "7.10"))
        shop.sale(yesterday + timedelta(minutes=1), (product, 1, price))
    shop.run_in_process()
    with shop.environment():
        rows = read_figures(load_settings()).lists["precios"]
    found = {row["id_producto"]: (row["precio"], row["precio_sugerido"]) for row in rows}
    suggested = Decimal("11.97")
    assert found == {product: (Decimal(with_tax[product]), suggested) for product in (3, 4)}
    # Those that are left out do differ, by less than a cent.
    for product in (1, 2):
        assert 0 < abs(Decimal(with_tax[product]) - suggested) < Decimal("0.01")


def test_what_came_back_was_lost_and_counted_stands_beside_the_sales(shop: Shop):
    """Reckoned by hand; of each branch too."""
    shop.env["ETL_TIMEZONE"] = ZONE
    for branch in (1, 2):
        shop.branch(branch)
    for product, name in ((1, "Lácteos"), (2, "Abarrotes")):
        shop.product(product, name)
    hours = (today() - 3 * DAY + timedelta(hours=hour) for hour in range(8, 20))
    with shop.transaction() as cursor:

        def done(
            tipo: str, product: int, cantidad: int | None, price: str = "0", **more: Any
        ) -> int:
            kind = "costo_unitario" if tipo == "ENTRADA_MERCANCIA" else "precio_unitario"
            columns = {"id_sucursal": 1, "cantidad": cantidad, kind: Decimal(price), **more}
            return movement(cursor, tipo, next(hours), product, **columns)

        done("ENTRADA_MERCANCIA", 1, 100, "2")
        done("ENTRADA_MERCANCIA", 2, 50, "4")
        done("TRASLADO", 1, 20, id_sucursal_destino=2)
        done("VENTA", 1, 20, "5", id_sucursal=2)
        sold = done("VENTA", 1, 10, "5")
        done("DEVOLUCION_VENTA", 1, 2, "5", id_origen=sold)
        done("DESCUENTO_VENTA", 1, None, "3")
        done("AJUSTE_SALIDA", 2, 5)
        done("CONTEO", 2, 44)
    shop.run_in_process()
    with shop.environment():
        figures = read_figures(load_settings())

    def shown(name: str, *columns: str) -> list[tuple[Any, ...]]:
        return [tuple(row[column] for column in columns) for row in figures.lists[name]]

    beside = ("venta", "devoluciones", "mermas")
    assert shown("sucursales", "id_sucursal", *beside, "margen") == [
        (2, 100, 0, 0, 60),
        (1, 37, 13, 24, 21),
    ]
    assert shown("perdidas", "categoria", *beside, "margen_tras_merma") == [
        ("Abarrotes", 0, 0, 24, -24),
        ("Lácteos", 137, 13, 0, 81),
    ]
    assert shown("conteos", "id_producto", "diferencia", "valor", "sobrante", "faltante") == [
        (2, -1, -4, 0, 4)
    ]
    assert shown(
        "existencias_sucursal", "id_sucursal", "valor", "con_existencias", "sin_existencias"
    ) == [
        (1, 320, 2, 0),
        (2, 0, 0, 1),
    ]
    assert shown("reponer_sucursal", "id_sucursal", "id_producto", "existencias", "en_otras") == [
        (2, 1, 0, 72)
    ]
    for language, words in (
        ("es", ("Devoluciones y mermas", "sobraron 0.00 y faltaron 4.00", "Sucursal por sucursal")),
        ("en", ("Returns and shrinkage", "0.00 were found, 4.00 lacked", "Branch by branch")),
    ):
        page = render_page(figures, language)
        assert [word for word in words if word not in page] == []


@in_browser
def test_names_are_text_wherever_they_stand(page: str, browser: Browser):
    browser.open(page)
    assert "pwned" not in browser.evaluate("document.title")
    assert browser.evaluate("document.querySelectorAll('script').length") == 0
    text = browser.evaluate("document.body.textContent")
    assert "<script>" in text and "{{7*7}}" in text
    drawn = "document.querySelector('#{} .bars').textContent"
    for section in ("categories", "best-sellers"):
        assert "Café </svg>" in browser.evaluate(drawn.format(section))
    assert LONG not in text and LONG[:40] in text
    assert "constructor" in browser.evaluate(drawn.format("best-sellers"))
    assert "Leche   entera" in browser.evaluate(drawn.format("best-sellers"))


@in_browser
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_hangs_over_the_side(page: str, browser: Browser, width: int):
    browser.open(page, width)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.evaluate("window.innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    # Of all that is drawn, and no box of it scrolls: what is cut is cut unseen.
    over = browser.evaluate(
        "Array.from(document.querySelectorAll('body *'))"
        ".filter(e => !e.closest('.skip, svg, thead') && e.getClientRects().length)"
        ".filter(e => e.getBoundingClientRect().right > window.innerWidth + 0.5"
        "  || ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX))"
        ".map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"
    )
    assert over == []
    if width == 390:
        small = "Math.min(...Array.from(document.querySelectorAll('svg text'),"
        small += " t => t.getBoundingClientRect().height))"
        assert browser.evaluate(small) >= 9


def cut_or_covered(browser: Browser) -> list[list[str]]:
    """The texts of drawings that leave their drawing, and pairs of which one lies on the other.

    In the page's own fonts, and in the widest sans-serif ones, where they are installed. A text's
    box has room above and below its letters, which another's may share.
    """
    return browser.evaluate(
        """["", '"DejaVu Sans"', "Verdana"].flatMap(font => {
            const texts = Array.from(document.querySelectorAll("svg text"));
            for (const text of texts) text.style.fontFamily = font;
            return Array.from(document.querySelectorAll("svg"), svg => {
                const whole = svg.getBoundingClientRect();
                const boxes = texts.filter(text => svg.contains(text))
                    .filter(text => text.textContent && text.getAttribute("opacity") !== "0")
                    .map(text => [text.textContent, text.getBoundingClientRect()]);
                const out = boxes.filter(([_, box]) =>
                    box.left < whole.left || box.right > whole.right ||
                    box.top < whole.top || box.bottom > whole.bottom);
                const covered = boxes.flatMap(([name, a], n) => boxes.slice(n + 1)
                    .filter(([_, b]) => a.left < b.right && b.left < a.right &&
                        a.top + a.height / 3 < b.bottom && b.top < a.bottom - a.height / 3)
                    .map(([other, _]) => [name, other]));
                return [...out.map(([name, _]) => [name]), ...covered];
            }).flat();
        })"""
    )


@in_browser
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_no_text_of_a_chart_is_cut(page: str, browser: Browser, width: int):
    """Vega lays a chart out with Arial's widths; a Debian without it shows a wider font."""
    browser.open(page, width)
    assert browser.evaluate("document.querySelectorAll('svg text').length") > 40
    assert cut_or_covered(browser) == []


@in_browser
def test_the_dark_mode_is_dark_and_the_print_is_not(page: str, browser: Browser):
    colours = (
        "[getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('svg text')).fill,"
        " getComputedStyle(document.querySelector('#runs .mark-rect.role-mark > *')).fill]"
    )
    seen = []
    for dark in (False, True):
        browser.open(page, dark=dark)
        seen.append(browser.evaluate(colours))
    light, dark_ones = ([sum(map(int, re.findall(r"\d+", c)[:3])) for c in one] for one in seen)
    assert light[0] > 600 > 200 > dark_ones[0]
    assert light[1] < 200 < 600 < dark_ones[1]
    assert seen[0][2] != seen[1][2]
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000
    assert 2 <= len(re.findall(rb"/Type ?/Page\b", pdf)) <= 9


@in_browser
def test_it_is_read_with_the_keyboard(page: str, browser: Browser):
    browser.open(page)
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    # What is wrong can be folded: here each problem has few rows, and stands open.
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.tagName") == "SUMMARY"
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('#rejects').open") is False


# A shop that has next to nothing


@in_browser
def test_an_empty_shop_has_a_page(shop: Shop, browser: Browser, tmp_path: Path):
    browser.open(report(shop, tmp_path))
    assert "Ninguna corrida ha cargado nada" in browser.evaluate("document.body.textContent")
    assert published_until(tmp_path / "informe.html") is None
    shop.run()
    browser.open(report(shop, tmp_path))
    assert browser.complaints == []
    assert rows_of(browser, "last-runs")
    assert browser.evaluate("document.querySelectorAll('.calm div').length") >= 10
    # One sale, without any receipt, and no name for the product.
    shop.product(1)
    shop.sale(datetime.now(UTC) - DAY, (1, 2, "3.50"))
    shop.run()
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.producto SET nombre = NULL, codigo = NULL")
    browser.open(report(shop, tmp_path))
    assert browser.complaints == []
    assert rows_of(browser, "days")[0][1:3] == ["7,00", "7,00"]
    assert rows_of(browser, "below-zero") == [["1", "-2", "0,00"]]
    assert len(rows_of(browser, "days")) == 14


# Who reads, and where it is written


def test_it_is_read_as_the_dashboards_account_alone(traded: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    env = {"OLAP_DB_USER": "nobody", "OLAP_DB_PASSWORD": "", "OLAP_ADMIN_USER": ""}
    traded.succeed("report", "--output", str(path), **env)
    before = path.read_bytes()
    for wrong, cause in (
        ({"OLAP_BI_USER": ""}, "OLAP_BI_USER is not set"),
        ({"OLAP_BI_PASSWORD": "otra"}, "cannot connect to OLAP tablero@"),
        ({"OLAP_BI_USER": "etl_olap"}, "grant it, or run `python -m pipeline init`"),
    ):
        done = traded.command("report", "--output", str(path), **wrong)
        assert done.returncode == 1
        assert cause in done.stdout and len(done.stdout.splitlines()) == 1
        assert PASSWORD not in done.stdout
    assert path.read_bytes() == before


def test_the_queries_are_the_lists_and_spare_the_ledger():
    files = {path.stem for path in sql_folder("olap/informe").glob("*.sql")}
    assert files == {*LISTS, "datos_al"}
    for path in sql_folder("olap/informe").glob("*.sql"):
        assert "kardex" not in path.read_text(encoding="utf-8"), path


def test_without_the_extra_one_line_says_what_to_install(traded: Shop, tmp_path: Path):
    (tmp_path / "vl_convert.py").write_text("raise ImportError(name='vl_convert')")
    done = traded.command("report", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "error: the report needs vl_convert; pip install '.[report]' in the pipeline's folder"
    ]


def test_it_goes_to_standard_output_or_where_it_is_told(traded: Shop, tmp_path: Path):
    said = traded.succeed("report", PYTHONIOENCODING="latin-1").stdout
    assert said.startswith("<!DOCTYPE html>") and "Categoría" in said
    path = tmp_path / "publicado.html"
    traded.succeed("report", ETL_REPORT_PATH=str(path))
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    done = traded.command("report", "--output", str(tmp_path / "no" / "hay.html"))
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    assert "hay.html cannot be written" in done.stdout


# PublishReport


def test_each_run_publishes_and_a_lost_page_comes_back(shop: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    env = {"ETL_REPORT_PATH": str(path)}
    previous = os.umask(0o027)
    try:
        shop.run(**env)
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o640
    assert published_until(path) == last_run(shop)
    shop.run(**env)
    assert published_until(path) == last_run(shop)
    assert list(tmp_path.glob(".*")) == []
    # Nothing is due: the page is looked after all the same.
    as_of = ("--as-of", f"{last_run(shop):%Y-%m-%dT%H:%M:%SZ}")
    seen = path.stat().st_mtime_ns
    shop.run(*as_of, **env)
    assert path.stat().st_mtime_ns == seen
    path.unlink()
    shop.run(*as_of, **env)
    assert published_until(path) == last_run(shop)
    # One that a run without the setting left behind.
    shop.run()
    assert published_until(path) < last_run(shop)
    shop.run("--as-of", f"{last_run(shop):%Y-%m-%dT%H:%M:%SZ}", **env)
    assert published_until(path) == last_run(shop)


def test_a_page_that_fails_loses_no_window(shop: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    env = {"ETL_REPORT_PATH": str(path)}
    shop.run(**env)
    old, moved = path.read_bytes(), last_run(shop)
    done = shop.run_due(**env, OLAP_BI_PASSWORD="otra")
    assert done.returncode == 30
    assert "failed    PublishReport" in done.stdout and "cannot connect to OLAP" in done.stdout
    assert path.read_bytes() == old
    assert last_run(shop) > moved
    markers = len(list((shop.folder / "state").glob("*/marker.json")))
    assert markers == 2
    shop.run(**env)
    assert published_until(path) == last_run(shop)
    assert len(list((shop.folder / "state").glob("*/marker.json"))) == markers + 1


def test_a_broken_view_of_the_shops_own_costs_no_page(shop: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "CREATE MATERIALIZED VIEW dw.mv_mia AS"
            " SELECT 1 / (count(*) - count(*)) AS x FROM dw.kardex WITH NO DATA;"
            "GRANT SELECT ON dw.mv_mia TO bi_lector"
        )
    shop.run(ETL_REPORT_PATH=str(path))
    assert published_until(path) == last_run(shop)


def test_a_superseded_window_ends_well(shop: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    env = shop.env | {"ETL_REPORT_PATH": str(path)}
    now = datetime.now(UTC).replace(microsecond=0)
    start, fast, slow = (now - timedelta(minutes=minutes) for minutes in (9, 6, 3))
    for end in (start, fast):
        shop.run("--as-of", f"{end:%Y-%m-%dT%H:%M:%SZ}")
    # Another machine had begun at the same start: it loads nothing, so its end is never reached.
    task = ["PublishReport", "--after", Window(start, slow).label, "--local-scheduler"]
    done = must_succeed(run_program([str(LUIGI), "--module", "pipeline", *task], shop.folder, env))
    assert "superseded" in done.stdout
    assert published_until(path) == last_run(shop) == fast
    seen = path.stat().st_mtime_ns
    must_succeed(run_program([str(LUIGI), "--module", "pipeline", *task], shop.folder, env))
    assert path.stat().st_mtime_ns == seen


def test_a_repair_whose_page_fails_is_a_repair(shop: Shop, tmp_path: Path):
    shop.product(1)
    shop.receipt(datetime.now(UTC) - DAY, (1, 10, 5), (1, 11, 5))
    shop.run()
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 2")
    done = shop.command("verify", "--repair", ETL_REPORT_PATH=str(tmp_path / "no" / "such.html"))
    assert done.returncode == 0, done.stdout
    assert "such.html cannot be written" in done.stdout
    assert len(shop.olap_rows("SELECT * FROM dw.kardex")) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_backfill_publishes_and_a_page_that_fails_undoes_nothing(
    shop: Shop, tmp_path: Path, workers: str
):
    path = tmp_path / "informe.html"
    shop.env |= {"ETL_REPORT_PATH": str(path), "ETL_INITIAL_SINCE": (today() - 5 * DAY).isoformat()}
    shop.product(1)
    for days in (1, 15, 25):
        shop.sale(today() - days * DAY, (1, days, 5))
    shop.run()
    seen = path.read_bytes()

    def backfill(days: int, **env: str) -> subprocess.CompletedProcess[str]:
        since = (today() - days * DAY).date().isoformat()
        program = [str(LUIGI), "--module", "pipeline", "Backfill", "--local-scheduler"]
        program += ["--since", since, "--workers", workers]
        return run_program(program, shop.folder, shop.env | env)

    def loaded() -> int:
        return len(shop.olap_rows("SELECT FROM dw.kardex"))

    must_succeed(backfill(20))
    assert loaded() == 2
    assert path.read_bytes() != seen
    seen = path.read_bytes()
    with web_server() as web:
        done = backfill(30, OLAP_BI_PASSWORD="otra", ETL_NOTIFY_URLS=web.channel, ETL_LANG="en")
        ((_, told),) = web.told
    assert done.returncode == 30
    assert "failed    PublishReport" in done.stdout and "cannot connect to OLAP" in done.stdout
    assert "What failed: PublishReport\nWindow: history since" in told
    assert loaded() == 3
    assert path.read_bytes() == seen
    # The history is there: what is left to do is the page.
    must_succeed(backfill(30))
    assert path.read_bytes() != seen


def test_a_rebuild_publishes_and_a_page_that_fails_undoes_nothing(shop: Shop, tmp_path: Path):
    path = tmp_path / "informe.html"
    shop.env["ETL_REPORT_PATH"] = str(path)
    shop.product(1)
    shop.receipt(datetime.now(UTC) - DAY, (1, 10, 5))
    shop.run()
    shop.succeed("rebuild")
    assert published_until(path) == last_run(shop)
    moved, seen = last_run(shop), path.read_bytes()
    shop.olap.cursor().execute("UPDATE dw.kardex SET costo_promedio = 9")
    with web_server() as web:
        notices = {"ETL_NOTIFY_URLS": web.channel, "ETL_LANG": "en"}
        # As under cron: stdout waits in a buffer, and is read first all the same.
        notices["PYTHONUNBUFFERED"] = ""
        done = shop.command("rebuild", OLAP_BI_PASSWORD="otra", **notices)
        ((_, told),) = web.told
    assert done.returncode == 1
    assert "What failed: PublishReport" in told
    assert re.fullmatch(
        r"error: \S+ is done, but the report was not published, see above; the next run does it",
        done.stdout.splitlines()[-1],
    )
    assert path.read_bytes() == seen
    assert last_run(shop) > moved
    assert shop.olap_rows("SELECT costo_promedio AS c FROM dw.kardex") == [{"c": 5}]
    shop.run()
    assert published_until(path) == last_run(shop)


@pytest.mark.parametrize("path", ["/etc/hostname/x.html", f"/tmp/{'x' * 245}", "/"])
def test_a_place_that_cannot_be_written_is_one_failure(path: str):
    with pytest.raises(publishing.StateError, match="cannot be written"):
        publishing.publish("page", Path(path))


def test_a_page_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "informe.html"
    path.write_text("the old one")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(publishing.StateError, match="No space left on device; its folder"):
        publishing.publish("the new one", path)
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]


def last_run(shop: Shop) -> Any:
    """The end of the last window loaded."""
    return shop.olap_rows("SELECT hasta FROM etl.control")[0]["hasta"]


def test_figures_are_rounded_as_the_ledger_rounds():
    voice = voice_of("en", ZONE)
    assert voice.money(Decimal("0.125")) == "0.13"
    assert voice.money(Decimal("-0.125")) == "-0.13"
    assert voice.quantity(Decimal("0.0625")) == "0.063"
    assert voice.percent(Decimal("0.0125")) == "1.3%"
