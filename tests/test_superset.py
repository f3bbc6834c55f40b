"""The dashboards in a real Superset: `scripts/test --superset`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from local_servers import free_port
from shop_database import LUIGI, new_shop
from shop_server import REPOSITORY, must_succeed, run_program, running_server
from superset_browser import Viewer, viewer
from superset_import import import_program
from superset_shop import (
    EXPECTED,
    FOLDER,
    Dashboards,
    expected_rows,
    fill,
    foreign_dataset,
    make_role,
    make_user,
    plain,
    read,
    role_number,
    same,
    uuid_of,
)

from demo.server import embedded_binaries
from demo.superset_server import running
from pipeline.superset import of_shop, renewal
from pipeline.superset.account import Account, SupersetError
from pipeline.superset.client import Session
from pipeline.superset.read_back import chart_data

PICTURES = REPOSITORY / "build" / "superset"
BOARDS = [path.stem for path in sorted((FOLDER / "dashboards").glob("*.yaml"))]


@pytest.fixture(scope="module")
def dashboards(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dashboards]:
    """One Superset for all tests, since its start takes half a minute; only if it is asked for."""
    if not request.config.getoption("--superset"):
        pytest.skip("a real Superset: scripts/test --superset")
    folder = tmp_path_factory.mktemp("dashboards")
    (folder / "postgres").mkdir()
    requirements = FOLDER / "requirements.txt"
    with (
        running_server(folder / "postgres", embedded_binaries()) as shop_server,
        new_shop(folder, shop_server) as shop,
        running(folder / "superset", requirements) as superset,
    ):
        fill(shop)
        shown = Dashboards(shop, superset, Session(superset.account, 120))
        must_succeed(shown.load())
        yield shown


@pytest.fixture(scope="module")
def onlooker(dashboards: Dashboards) -> Account:
    """Somebody who was granted what the guide says."""
    session, url = dashboards.session, dashboards.superset.account.url
    role = make_role(session, "Tienda", "database_access", "[Tienda (analítica)].(id:")
    return make_user(session, url, "mira", role_number(session, "Gamma"), role)


def test_every_chart_shows_what_sql_says(dashboards: Dashboards):
    charts = {path.stem for path in (FOLDER / "charts").glob("*.yaml")}
    assert charts == EXPECTED.keys()
    wrong = []
    for chart in sorted(charts):
        found = [[plain(cell) for cell in row] for row in dashboards.rows(chart)]
        expected = expected_rows(dashboards.shop, chart)
        assert expected, f"{chart}: the shop gives it nothing to show"
        if not same(found, expected):
            wrong.append(f"{chart}: {found[:3]} … instead of {expected[:3]} …")
    assert not wrong, "\n".join(wrong)


def test_the_pages_of_a_list_hold_each_row_once(dashboards: Dashboards):
    session = dashboards.session
    paged = [c for c in EXPECTED if read(f"charts/{c}.yaml")["params"].get("server_pagination")]
    longest = 0
    for chart in paged:
        context = session.get(f"/api/v1/chart/{uuid_of(chart)}")["result"]["query_context"]
        asked = json.loads(context)
        (query,) = asked["queries"]
        found: list[list[Any]] = []
        while True:
            query |= {"row_limit": 7, "row_offset": len(found)}
            (answer,) = session.post("/api/v1/chart/data", asked)["result"]
            if not answer["data"]:
                break
            found += [[plain(cell) for cell in row.values()] for row in answer["data"]]
        assert same(found, expected_rows(dashboards.shop, chart)), chart
        longest = max(longest, len(found))
    assert longest > 4 * 7


def test_who_only_looks_sees_the_three_dashboards_at_laptop_width(
    dashboards: Dashboards, onlooker: Account
):
    PICTURES.mkdir(parents=True, exist_ok=True)
    with viewer(onlooker) as browser:
        for board in BOARDS:
            dashboard = read(f"dashboards/{board}.yaml")
            cells = [key for key in dashboard["position"] if key.startswith("CHART-")]
            drawn = browser.show(dashboard["slug"], PICTURES / f"{board}.png")
            assert drawn == len(cells)
            assert not browser.edits


def test_who_only_looks_gets_every_charts_data_and_changes_nothing(
    dashboards: Dashboards, onlooker: Account
):
    session = Session(onlooker, 120)
    listed = {board["slug"] for board in session.get("/api/v1/dashboard/")["result"]}
    assert listed == set(BOARDS)
    for chart in EXPECTED:
        assert chart_data(session, uuid_of(chart), force=False)["data"]
    admin = dashboards.session
    board = admin.get("/api/v1/dashboard/ventas-y-margen")["result"]
    chart = admin.get(f"/api/v1/chart/{uuid_of('venta_neta')}")["result"]
    sales = admin.get(f"/api/v1/dataset/{uuid_of('mv_ventas_diarias', 'datasets')}")["result"]
    for kind, asset, field in (
        ("dashboard", board, "dashboard_title"),
        ("chart", chart, "slice_name"),
        ("dataset", sales, "description"),
        ("database", sales["database"], "database_name"),
    ):
        path = f"/api/v1/{kind}/{asset['id']}"
        with pytest.raises(SupersetError, match=f"mira may not PUT {path}"):
            # What it is already: whoever may, changes nothing.
            session.put(path, {field: asset[field]})


def test_who_was_granted_nothing_is_refused(dashboards: Dashboards):
    admin, url = dashboards.session, dashboards.superset.account.url
    stranger = Session(make_user(admin, url, "ajeno", role_number(admin, "Gamma")), 120)
    assert stranger.get("/api/v1/dashboard/")["result"] == []
    for board in BOARDS:
        with pytest.raises(SupersetError, match="Not found"):
            stranger.get(f"/api/v1/dashboard/{board}")
    with pytest.raises(SupersetError, match="Not found"):
        chart_data(stranger, uuid_of("venta_neta"))
    # Nor by asking for the data themselves, as a page does.
    sales = admin.get(f"/api/v1/dataset/{uuid_of('mv_ventas_diarias', 'datasets')}")["result"]
    asked = {"datasource": {"id": sales["id"], "type": "table"}}
    query = {"queries": [{"metrics": ["venta_neta_total"]}]}
    assert admin.post("/api/v1/chart/data", asked | query)["result"]
    with pytest.raises(SupersetError, match="ajeno may not POST /api/v1/chart/data"):
        stranger.post("/api/v1/chart/data", asked | query)


def test_the_filter_bar_filters_each_chart_in_its_reach(
    dashboards: Dashboards, onlooker: Account, tmp_path: Path
):
    since, until = (date.today() - timedelta(days=days) for days in (200, 20))
    within = f"BETWEEN '{since}' AND '{until - timedelta(days=1)}'"
    category = "categoria = 'Abarrotes'"
    product = f"id_producto IN (SELECT id_producto FROM dw.producto WHERE {category})"
    local_day = "(fecha AT TIME ZONE 'America/Lima')::date"
    daily, monthly = f"{category} AND dia {within}", f"{product} AND mes {within}"
    with viewer(onlooker) as browser:
        browser.show("ventas-y-margen", tmp_path / "ventas.png")
        browser.choose("Categoría", "Abarrotes")
        browser.choose_dates("Fecha", since, until)
        filtered = {"resumen_diario": daily, "resumen_mensual": monthly}
        filtered |= dict.fromkeys(("v_ventas_producto", "v_ventas_interanual"), daily)
        # The first has no date of its own, the other no category.
        filtered |= {"v_costo_dudoso": category, "kardex": f"{local_day} {within}"}
        assert_filtered(dashboards, browser, "ventas-y-margen", {"datos_al"}, filtered)

        browser.choose("Sucursal", "Sucursal 1")
        views = ("v_costo_dudoso", "v_ventas_producto", "v_ventas_interanual")
        for relation in ("resumen_diario", "kardex", *views):
            filtered[relation] += " AND id_sucursal = 1"
        beyond = {"datos_al", "margen_por_producto"}
        assert_filtered(dashboards, browser, "ventas-y-margen", beyond, filtered)

        browser.show("inventario-valorizado", tmp_path / "inventario.png")
        browser.choose("Categoría", "Abarrotes")
        relations = ("inventario", "mv_abc", "mv_rotacion", "mv_reposicion", "mv_precios")
        relations += ("v_reposicion_sucursal", "kardex", "v_antiguedad")
        beyond = {"datos_al", "valor_por_dia", "movimiento_por_dia"}
        filtered = dict.fromkeys(relations, product)
        assert_filtered(dashboards, browser, "inventario-valorizado", beyond, filtered)


def test_who_only_looks_goes_from_a_category_to_a_product_and_its_branches(
    dashboards: Dashboards, onlooker: Account, tmp_path: Path
):
    """By clicks: what the menu offers, and the figures that it leads to."""
    chart = read("charts/venta_por_producto.yaml")
    columns = (
        "sum(venta_neta) AS venta, sum(unidades) AS unidades, sum(margen) AS margen,"
        " sum(margen) / nullif(sum(venta_neta), 0) AS parte"
    )
    below = "FROM dw.v_ventas_producto WHERE meses_atras <= 3 AND categoria = 'Abarrotes'"

    def expected(column: str, within: str = "") -> list[list[Any]]:
        rows = dashboards.shop.olap_rows(
            f"SELECT {column}, {columns} {below} {within} GROUP BY {column}"
        )
        return [[plain(cell) for cell in row.values()] for row in rows]

    with viewer(onlooker) as browser:
        browser.show("ventas-y-margen", tmp_path / "ventas.png")
        products = browser.go_down(chart["slice_name"], "Abarrotes", "Producto")
        assert same(products.rows(), expected("nombre"))
        name = products.rows()[0][0]
        branches = browser.go_down(chart["slice_name"], name, "Sucursal")
        assert same(branches.rows(), expected("sucursal", f"AND nombre = '{name}'"))
        assert len(branches.rows()) > 1


def assert_filtered(
    dashboards: Dashboards,
    browser: Viewer,
    board: str,
    beyond: set[str],
    filtered: dict[str, str],
) -> None:
    """Apply the filters: all charts but those `beyond` their reach show what SQL says."""
    cells = read(f"dashboards/{board}.yaml")["position"]
    charts = {key.removeprefix("CHART-") for key in cells if key.startswith("CHART-")} - beyond
    session = dashboards.session
    number = {c: session.get(f"/api/v1/chart/{uuid_of(c)}")["result"]["id"] for c in charts}
    answers = browser.apply(number.values())
    assert answers.keys() == set(number.values())
    for chart in charts:
        found = [[plain(cell) for cell in row] for row in answers[number[chart]].rows()]
        expected = expected_rows(dashboards.shop, chart, filtered)
        count = answers[number[chart]].count
        if count is not None:
            assert count == len(expected), chart
            assert len(found) == min(
                count, read(f"charts/{chart}.yaml")["params"]["server_page_length"]
            )
            expected = [row for row in expected if any(same([row], [one]) for one in found)]
        assert same(found, expected), f"{chart}: {found[:3]} … instead of {expected[:3]} …"


def test_a_second_import_changes_titles_and_metrics_in_place(
    dashboards: Dashboards, tmp_path: Path
):
    before = dashboards.rows("venta_neta")
    changed = shutil.copytree(FOLDER, tmp_path / "superset")
    for name, old, new in (
        ("charts/venta_neta.yaml", "slice_name: Venta neta", "slice_name: Vendido"),
        ("datasets/mv_ventas_diarias.yaml", "sum(venta_neta)\n", "2 * sum(venta_neta)\n"),
        ("dashboards/ventas-y-margen.yaml", "_title: Ventas y margen", "_title: Lo vendido"),
    ):
        text = (changed / name).read_text(encoding="utf-8")
        assert old in text
        (changed / name).write_text(text.replace(old, new), encoding="utf-8")
    assert (
        f"{len(EXPECTED)} charts have their data" in must_succeed(dashboards.load(changed)).stdout
    )
    title = dashboards.session.get(f"/api/v1/chart/{uuid_of('venta_neta')}")["result"]
    assert title["slice_name"] == "Vendido"
    board = dashboards.session.get("/api/v1/dashboard/ventas-y-margen")["result"]
    assert board["dashboard_title"] == "Lo vendido"
    assert dashboards.rows("venta_neta")[0][0] == pytest.approx(2 * before[0][0])
    must_succeed(dashboards.load())
    assert dashboards.rows("venta_neta") == before
    for kind, count in (("chart", 53), ("dataset", 23), ("dashboard", 3), ("database", 1)):
        assert dashboards.session.get(f"/api/v1/{kind}/")["count"] == count


@pytest.mark.parametrize(
    "env, said",
    [
        ({"OLAP_BI_PASSWORD": "otra clave"}, "incorrect"),
        ({"OLAP_DB_PORT": str(free_port())}, "refused"),
        ({"OLAP_DB_NAME": "no_hay"}, "no_hay"),
        ({"SUPERSET_PASSWORD": "otra"}, "refuses the login of admin"),
    ],
)
def test_what_cannot_work_is_one_line_and_imports_nothing(
    dashboards: Dashboards, env: dict[str, str], said: str
):
    done = dashboards.load(**env)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert said in done.stdout
    assert "clave" not in done.stdout
    assert dashboards.rows("corridas")


def test_a_view_that_is_missing_is_named_with_its_charts(dashboards: Dashboards):
    cursor = dashboards.shop.olap.cursor()
    cursor.execute("ALTER VIEW dw.mv_abc RENAME TO mv_abc_guardada")
    try:
        done = dashboards.load()
    finally:
        cursor.execute("ALTER VIEW dw.mv_abc_guardada RENAME TO mv_abc")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert f"1 of {len(EXPECTED)} charts have no data: Clases ABC" in done.stdout
    assert "mv_abc" in done.stdout
    assert dashboards.rows("clases_abc")


def test_after_a_window_the_charts_show_it(dashboards: Dashboards):
    shop, account = dashboards.shop, dashboards.superset.account

    def shown() -> float:
        return float(dashboards.rows("corridas", force=False)[0][0])

    another = foreign_dataset(dashboards)
    before = shown()
    shop.run()
    assert shown() == before, "Superset caches nothing, so that the next lines say nothing"
    said = shop.run(SUPERSET_URL=account.url, SUPERSET_PASSWORD=account.password).stdout
    assert "Superset: 23 datasets will be asked anew" in said
    assert shown() == before + 2
    assert not dashboards.session.get(f"/api/v1/dataset/{another}")["result"]["extra"]
    refused = shop.run(SUPERSET_URL=account.url, SUPERSET_PASSWORD="otra clave").stdout
    assert refused.count("it refuses the login of admin") == 1
    assert "otra clave" not in refused


def test_every_page_of_datasets_is_renewed(dashboards: Dashboards, monkeypatch: pytest.MonkeyPatch):
    account, session = dashboards.superset.account, dashboards.session
    monkeypatch.setenv("SUPERSET_URL", account.url)
    monkeypatch.setenv("SUPERSET_PASSWORD", account.password)
    monkeypatch.setattr(renewal, "_PAGE", 5)
    renewal.renew_dashboards()
    moments = [
        session.get(f"/api/v1/dataset/{uuid_of(path.stem, 'datasets')}")["result"]["extra"]
        for path in (FOLDER / "datasets").glob("*.yaml")
    ]
    assert "renewed" in moments[0] and len(set(moments)) == 1
    monkeypatch.setattr(renewal, "DATABASE_UUID", str(UUID(int=0)))
    with pytest.raises(SupersetError, match="run scripts/superset-import"):
        renewal.renew_dashboards()


def test_after_a_backfill_the_charts_show_it(dashboards: Dashboards):
    shop, account = dashboards.shop, dashboards.superset.account
    now = datetime.now(UTC)

    def shown() -> float:
        return float(dashboards.rows("unidades", force=False)[0][0])

    def backfill(days: int, **env: str) -> str:
        since = (now - timedelta(days=days)).date().isoformat()
        program = [str(LUIGI), "--module", "pipeline", "Backfill", "--since", since]
        done = run_program([*program, "--local-scheduler"], shop.folder, shop.env | env)
        return must_succeed(done).stdout

    # What is closed takes no earlier history.
    (closing,) = shop.olap_rows("SELECT dia FROM dw.cierre")
    shop.succeed("close", "--reopen", closing["dia"].isoformat(), "--reason", "earlier history")
    for days in (480, 500):
        shop.sale(now - timedelta(days=days), (1, 7, Decimal(5)), id_sucursal=1)
    before = shown()
    assert "Superset" not in backfill(490)
    assert shown() == before, "Superset caches nothing, so that the next lines say nothing"
    said = backfill(510, SUPERSET_URL=account.url, SUPERSET_PASSWORD=account.password)
    assert "Superset: 23 datasets will be asked anew" in said
    assert shown() == before + 14


def test_two_shops_of_many_overwrite_nothing_of_each_other(dashboards: Dashboards, tmp_path: Path):
    """The last test, since it leaves theirs beside what the others count."""
    session, account = dashboards.session, dashboards.superset.account
    place = tmp_path / "shops"
    place.mkdir()

    def there() -> dict[tuple[str, int], str]:
        return {
            (kind, found["id"]): found["changed_on_utc"]
            for kind in ("chart", "dataset", "dashboard")
            for page in range(5)
            for found in session.get(f"/api/v1/{kind}/?q=(page:{page},page_size:100)")["result"]
        }

    def stock(shop: str) -> Any:
        chart = of_shop.uuid_of(shop, uuid_of("valor_inventario"))
        return chart_data(session, chart)["data"]

    with new_shop(tmp_path, dashboards.shop.server) as other:
        other.product(1)
        other.receipt(datetime.now(UTC) - timedelta(hours=2), (1, 10, 5))
        other.run(ETL_TIMEZONE="America/Lima")
        of = {"a": dashboards.shop, "b": other}
        for name, shop in of.items():
            said = {k: v for k, v in shop.env.items() if k.startswith(("OLTP_", "OLAP_"))}
            text = "".join(f"{k}={v}\n" for k, v in said.items())
            (place / f"{name}.env").write_text(text, encoding="utf-8")
        env = {k: v for k, v in dashboards.shop.env.items() if not k.startswith(("OLTP_", "OLAP_"))}
        env |= {"ETL_SHOPS_DIR": str(place), "SUPERSET_PASSWORD": account.password}
        found = [there()]
        for name in of:
            program = import_program("--shop", name, "--url", account.url, "--user", account.user)
            told = must_succeed(run_program(program, tmp_path, env)).stdout
            assert (
                f"{len(EXPECTED)} charts have their data" in told
                and f"ventas-y-margen-{name}/" in told
            )
            found.append(there())
        # What was there is as it was, to the moment of its last change.
        assert found[0].items() < found[1].items() < found[2].items()
        assets = sum(
            len(list((FOLDER / kind).rglob("*.yaml")))
            for kind in ("charts", "datasets", "dashboards")
        )
        assert len(found[2]) - len(found[1]) == len(found[1]) - len(found[0]) == assets
        assert [list(row.values()) for row in stock("a")] == dashboards.rows("valor_inventario")
        assert [list(row.values()) for row in stock("b")] == [[50.0]]
        boards = session.get("/api/v1/dashboard/?q=(page_size:100)")["result"]
        titles = {board["dashboard_title"] for board in boards}
        assert {"Salud del ETL", "Salud del ETL · a", "Salud del ETL · b"} <= titles
        bases = session.get("/api/v1/database/?q=(page_size:100)")["result"]
        names = {base["database_name"] for base in bases}
        assert {f"Tienda (analítica){end}" for end in ("", " · a", " · b")} <= names
