"""The dashboards of superset/: every reference leads somewhere, every name is in the views."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import pytest
from local_servers import free_port, web_server
from shop_database import Shop
from shop_server import BI_USER, PASSWORD, REPOSITORY, run_program
from superset_import import import_program

from pipeline.settings import Database
from pipeline.superset import renewal
from pipeline.superset.account import Account, SupersetError
from pipeline.superset.bundle import MASK, ROOMS, read_bundle, uri
from pipeline.superset.client import Session

LOGIN = {"OLAP_DB_NAME": "olap", "OLAP_BI_USER": "tablero", "OLAP_BI_PASSWORD": "secreta"}
FOLDER = REPOSITORY / "superset"
# A file's uuid is made of its room and name, so that it never changes and nobody invents one.
NAMESPACE = UUID("6f0f7f5e-3c1e-5a7e-9f60-7d1d0b5c5a10")
OLAP = Database(
    "OLAP",
    "OLAP_BI",
    "olap.tienda.pe",
    5439,
    "mi base",
    "el:tablero",
    PASSWORD,
    "require",
    "",
    60,
    "America/Lima",
)
BUNDLE = read_bundle(FOLDER, OLAP)
DATASETS = {asset["uuid"]: asset for asset in BUNDLE.room("datasets").values()}
CHARTS = {asset["uuid"]: asset for asset in BUNDLE.room("charts").values()}
DASHBOARDS = BUNDLE.room("dashboards")
# Superset 6.1's own ceilings, as it is installed: a higher row_limit is lowered without a word.
SQL_MAX_ROW, TABLE_VIZ_MAX_ROW_SERVER = 100_000, 500_000
# The charts that do not page and the most rows that each can have. 27 years of days, or of
# categories ten thousand, are beyond any shop.
DAYS = CATEGORIES = 10_000
BOUNDED = {
    "ajustes": 1,
    "antiguedad": 4,
    "venta_por_hora": 7 * 24,
    "venta_interanual": 12 * 27,  # a month, of 27 years
    "venta_por_producto": CATEGORIES,
    "cierres": DAYS,  # one a month, as a rule
    "clases_abc": 3,  # A, B and C
    "conteos_por_categoria": CATEGORIES,
    "devoluciones_y_mermas_por_dia": DAYS,
    "duracion": DAYS,  # the slowest run of each
    "existencias_por_sucursal": 1_000,  # one a branch
    "filas_por_dia": DAYS,
    "fuera_de_alcance": 2_000,  # for its type or its date, of a thousand types
    "margen_por_categoria": CATEGORIES,
    "margen_por_sucursal": 1_000,  # one a branch
    "movimiento_por_dia": DAYS,
    "rechazos_por_motivo": 100,  # the reasons are words of the load
    "rotacion_por_categoria": CATEGORIES,
    "valor_por_categoria": CATEGORIES,
    "valor_por_dia": DAYS,
    "venta_por_categoria": CATEGORIES,
    "venta_por_sucursal_y_dia": 10 * DAYS,  # ten branches, 27 years
    "venta_y_margen_por_dia": DAYS,
}


def names(dataset: dict[str, Any], what: str) -> set[str]:
    """A dataset's columns or metrics."""
    return {entry[f"{what.removesuffix('s')}_name"] for entry in dataset[what]}


def cells(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """What a dashboard says of each chart in it."""
    return [
        cell["meta"]
        for cell in dashboard["position"].values()
        if isinstance(cell, dict) and cell["type"] == "CHART"
    ]


def test_each_uuid_is_that_of_its_name():
    kinds = dict(zip(ROOMS, ("database", "dataset", "chart", "dashboard"), strict=True))
    for path, asset in BUNDLE.files.items():
        if path != "metadata.yaml":
            room, name = path.removesuffix(".yaml").split("/")
            assert asset["uuid"] == str(uuid5(NAMESPACE, f"{kinds[room]}/{name}")), path


def test_each_reference_leads_to_a_file():
    (database,) = BUNDLE.room("databases").values()
    assert database["uuid"] == renewal.DATABASE_UUID
    assert {dataset["database_uuid"] for dataset in DATASETS.values()} == {database["uuid"]}
    assert {chart["dataset_uuid"] for chart in CHARTS.values()} == DATASETS.keys()
    shown = {cell["uuid"] for dashboard in DASHBOARDS.values() for cell in cells(dashboard)}
    assert shown == CHARTS.keys()


def test_each_chart_names_columns_and_metrics_of_its_dataset():
    for chart in CHARTS.values():
        dataset, title = DATASETS[chart["dataset_uuid"]], chart["slice_name"]
        query = json.loads(chart["query_context"])["queries"][0]
        columns = {c if isinstance(c, str) else c["sqlExpression"] for c in query["columns"]}
        columns |= {given["col"] for given in query["filters"]}
        assert columns <= names(dataset, "columns"), title
        assert set(query["metrics"] or ()) <= names(dataset, "metrics"), title
        known = names(dataset, "columns") | names(dataset, "metrics")
        assert {name for name, _ in query["orderby"]} <= known, title
        assert chart["params"].get("column_config", {}).keys() <= known, title
        assert chart["params"].get("x_axis_sort", next(iter(known))) in known, title


def test_no_chart_is_cut_without_a_word():
    """It pages, and then its order is total: in any other, pages repeat and lack rows."""
    keys = {"id_producto", "id_movimiento", "numero", "orden_margen"}
    unpaged = set()
    for path, chart in BUNDLE.room("charts").items():
        params, name = chart["params"], Path(path).stem
        if params["viz_type"] == "big_number_total":
            continue
        (query,) = json.loads(chart["query_context"])["queries"]
        # What is kept is what an export or a scheduled report asks: all rows, not a page.
        assert query["row_limit"] == params["row_limit"]
        if params.get("server_pagination"):
            assert params["viz_type"] == "table", f"{name}: only tables page"
            assert params["row_limit"] == TABLE_VIZ_MAX_ROW_SERVER, name
            assert params["server_page_length"] > 0, name
            assert query["orderby"][-1][0] in keys, f"{name}: ties"
        else:
            unpaged.add(name)
            assert name in BOUNDED, f"{name} can be cut at {params['row_limit']} rows"
            assert BOUNDED[name] <= params["row_limit"] <= SQL_MAX_ROW, name
    assert unpaged == BOUNDED.keys()


def test_each_dashboard_fills_its_rows():
    assert [d["dashboard_title"] for d in DASHBOARDS.values()] == [
        "Inventario valorizado",
        "Salud del ETL",
        "Ventas y margen",
    ]
    for dashboard in DASHBOARDS.values():
        position = dashboard["position"]
        for row in position["GRID_ID"]["children"]:
            widths = [position[cell]["meta"]["width"] for cell in position[row]["children"]]
            assert sum(widths) == 12
        for cell in cells(dashboard):
            assert cell["sliceName"] == CHARTS[cell["uuid"]]["slice_name"]


def test_each_filter_reaches_the_charts_that_have_its_column_and_no_others():
    for dashboard in DASHBOARDS.values():
        chart_of = {cell["chartId"]: CHARTS[cell["uuid"]] for cell in cells(dashboard)}
        assert len(chart_of) == len(cells(dashboard))
        for given in dashboard["metadata"]["native_filter_configuration"]:
            excluded = set(given["scope"]["excluded"])
            assert excluded <= chart_of.keys()
            having = {number for number, chart in chart_of.items() if has_column(chart, given)}
            reached = chart_of.keys() - excluded
            wrong = [chart_of[number]["slice_name"] for number in reached ^ having]
            assert not wrong, f"{dashboard['dashboard_title']}, {given['name']}: {wrong}"
            assert reached


def has_column(chart: dict[str, Any], given: dict[str, Any]) -> bool:
    """Whether a chart's rows can be told apart by a filter's column.

    For dates that is the dataset's main one: what is open, such as a reject, has dates, too, and
    is shown whatever they are.
    """
    dataset = DATASETS[chart["dataset_uuid"]]
    if given["filterType"] != "filter_time":
        (target,) = given["targets"]
        column = target["column"]["name"]
        assert column in names(DATASETS[target["datasetUuid"]], "columns")
        return column in names(dataset, "columns")
    if dataset["main_dttm_col"] is None:
        return False
    # Superset applies the dates where a chart has such a filter, and nowhere else.
    filters = [(f["subject"], f["operator"]) for f in chart["params"]["adhoc_filters"]]
    assert (dataset["main_dttm_col"], "TEMPORAL_RANGE") in filters, chart["slice_name"]
    return True


def test_every_label_is_there_and_none_twice():
    for dataset in DATASETS.values():
        for what in ("columns", "metrics"):
            assert all(entry["verbose_name"] for entry in dataset[what])
        labels = Counter(metric["verbose_name"] for metric in dataset["metrics"])
        assert max(labels.values()) == 1, dataset["table_name"]
        for metric in dataset["metrics"]:
            assert metric["d3format"] or metric["metric_name"] == "datos_al_ultimo"
    titles = Counter(chart["slice_name"] for chart in CHARTS.values())
    assert max(titles.values()) == 1


def relations(shop: Shop) -> Iterator[tuple[str, str, str]]:
    """View, column and type of all that the dashboards' account may read."""
    for row in shop.olap_rows(
        "SELECT c.relname, a.attname, upper(format_type(a.atttypid, NULL)) AS type"
        " FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'dw'::regnamespace AND has_table_privilege(%s, c.oid, 'SELECT')",
        BI_USER,
    ):
        yield row["relname"], row["attname"], row["type"]


@pytest.mark.one_postgres
def test_every_column_and_metric_is_in_the_views(shop: Shop):
    found = set(relations(shop))
    views = {relation for relation, *_ in found if relation.startswith("mv_")}
    assert views <= {dataset["table_name"] for dataset in DATASETS.values()}
    connection = shop.server.connect(shop.olap_name, BI_USER)
    connection.cursor().execute("SELECT 1")
    shop.run_in_process()
    for dataset in DATASETS.values():
        relation = dataset["table_name"]
        for column in dataset["columns"]:
            name, kind = column["column_name"], column["type"]
            if "expression" not in column:
                assert (relation, name, kind) in found
                continue
            cursor = connection.cursor()
            cursor.execute(f"SELECT pg_typeof({column['expression']})::text FROM dw.{relation}")
            assert all(row[0].upper() == kind for row in cursor), name
        for metric in dataset["metrics"]:
            connection.cursor().execute(f"SELECT {metric['expression']} FROM dw.{relation}")
    connection.close()


def test_the_bundle_leads_to_the_settings_olap_and_holds_no_password():
    (database,) = BUNDLE.room("databases").values()
    assert database["sqlalchemy_uri"] == (
        f"postgresql+psycopg2://el%3Atablero:{MASK}@olap.tienda.pe:5439/mi base?sslmode=require"
    )
    assert "timezone=America/Lima" in json.dumps(database)
    with zipfile.ZipFile(io.BytesIO(BUNDLE.packed())) as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == {"superset"}
        assert len(packed.namelist()) == len(BUNDLE.files)
        for name in packed.namelist():
            assert PASSWORD not in packed.read(name).decode()
    for path in FOLDER.rglob("*.yaml"):
        uris = re.findall(r"sqlalchemy_uri: (.*)", path.read_text(encoding="utf-8"))
        assert all(f":{MASK}@" in found for found in uris)
    assert uri(replace(OLAP, host="/run/pg"), MASK).endswith(
        f":{MASK}@/mi base?host=%2Frun%2Fpg&port=5439&sslmode=require"
    )
    with pytest.raises(SupersetError, match="takes no name with a"):
        uri(replace(OLAP, name="a?b"), MASK)
    assert (
        "[::1]:5439"
        in read_bundle(FOLDER, replace(OLAP, host="::1")).files["databases/analitica.yaml"][
            "sqlalchemy_uri"
        ]
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(SupersetError, match=r"^superset/metadata\.yaml cannot be read"):
        read_bundle(tmp_path, OLAP)
    (tmp_path / "metadata.yaml").write_text("a: [")
    with pytest.raises(SupersetError, match=r"^superset/metadata\.yaml cannot be read"):
        read_bundle(tmp_path, OLAP)
    (tmp_path / "metadata.yaml").write_text("version: 1.0.0")
    with pytest.raises(SupersetError, match=r"lacks 'databases/analitica.yaml'"):
        read_bundle(tmp_path, OLAP)


def test_no_secret_is_shown():
    assert "secreta" not in repr(Account("http://localhost", "admin", "secreta"))


@pytest.mark.parametrize(
    "env, arguments, said",
    [
        ({}, [], "SUPERSET_URL is not set"),
        ({}, ["--url", "localhost:8088"], "SUPERSET_URL must be an address such as"),
        ({"OLAP_BI_PASSWORD": ""}, ["--url", "http://x"], "OLAP_BI_PASSWORD is not set"),
        ({"OLAP_BI_USER": ""}, ["--url", "http://x"], "OLAP_BI_USER is not set"),
        ({}, ["--url", f"http://127.0.0.1:{free_port()}"], "cannot be reached: "),
    ],
)
def test_a_wrong_setting_is_one_line(
    tmp_path: Path, env: dict[str, str], arguments: list[str], said: str
):
    given = {"ETL_LANG": "en", **LOGIN}
    done = run_program(import_program(*arguments), tmp_path, given | env)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert said in done.stdout
    assert "secreta" not in done.stdout


def test_what_is_no_superset_is_told(tmp_path: Path):
    given = {"ETL_LANG": "en", **LOGIN}
    with web_server() as web:
        url = f"http://127.0.0.1:{web.port}"
        for status, said in ((200, "without JSON"), (302, "is redirected"), (500, "answers 500")):
            web.status = status
            done = run_program(import_program("--url", url), tmp_path, given)
            assert done.returncode == 1
            assert len(done.stdout.splitlines()) == 1
            assert said in done.stdout


HTML = b"<html><body>Bad gateway, please\ntry again</body></html>"
TOKEN = b'{"access_token": "x", "result": "y"}'


@pytest.mark.parametrize(
    ("status", "body", "withheld", "said"),
    [
        (200, HTML, 0, "answers /api/v1/security/login without JSON: is this its address?"),
        (200, b"", 0, "answers /api/v1/security/login without JSON"),
        (200, TOKEN[:-9], 0, "answers /api/v1/security/login without JSON"),
        (200, b'{"access_token": "\xff"}', 0, "answers /api/v1/security/login without JSON"),
        (200, b'["x"]', 0, "answers /api/v1/security/login without JSON"),
        (200, TOKEN[:-9], 9, "cannot be reached: IncompleteRead"),
        (200, b"{}", 0, "does not answer as Superset: correct it"),
        (502, HTML, 0, "POST /api/v1/security/login answers 502: no JSON; is this the address of"),
        (502, HTML, 9, "POST /api/v1/security/login answers 502: its answer broke off"),
    ],
)
def test_what_a_proxy_answers_in_its_place_is_one_line(
    status: int, body: bytes, withheld: int, said: str
):
    with web_server() as web:
        web.status, web.body, web.withheld = status, body, withheld
        account = Account(f"http://127.0.0.1:{web.port}", "admin", "secreta")
        with pytest.raises(SupersetError) as failure:
            Session(account, 10)
    assert said in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1
    assert "secreta" not in str(failure.value)


@pytest.mark.one_postgres
def test_a_superset_that_is_down_fails_no_run(shop: Shop):
    shop.product(1)
    url = f"http://127.0.0.1:{free_port()}"
    done = shop.run(SUPERSET_URL=url, SUPERSET_PASSWORD="secreta")
    warned = [line for line in done.stdout.splitlines() if "Superset" in line]
    assert len(warned) == 1
    assert " WARNING: " in warned[0] and url in warned[0]
    assert "secreta" not in done.stdout
    assert "Superset" not in shop.run().stdout
    (shop.folder / "conteo.csv").write_text("id_producto,existencias,costo_promedio\n1,5,6\n")
    said = shop.succeed("opening", "conteo.csv", SUPERSET_URL=url).stdout
    assert url in said and "1 opening balances set" in said


def test_a_superset_that_gives_few_datasets_a_page_is_asked_on():
    given = [{"id": 1}, {"id": 2}, {"id": 3}]

    def get(path: str) -> dict[str, Any]:
        if "/database/" in path:
            return {"result": [{"id": 4}]}
        page = int(path.split("page:")[1].split(",")[0])
        return {"result": given[2 * page : 2 * page + 2]}

    session: Any = SimpleNamespace(get=get)
    assert list(renewal._datasets(session)) == given


def test_two_shops_have_nothing_in_common():
    """No uuid, slug or name by which an import would overwrite the other's; no dead reference."""
    bundles = {shop: read_bundle(FOLDER, OLAP, shop) for shop in ("", "a", "b")}
    marks = {shop: set(unique(bundle.files.values())) for shop, bundle in bundles.items()}
    assert not (marks["a"] & marks["b"] or marks["a"] & marks[""])
    assert len({len(found) for found in marks.values()}) == 1
    known = {asset["uuid"] for asset in BUNDLE.files.values() if "uuid" in asset}
    packed = bundles["a"].packed()
    assert not [uuid for uuid in known if uuid in text_of(packed)]
    for title in ("Tienda (analítica) · a", "Salud del ETL · a"):
        assert title in text_of(packed)
    assert text_of(bundles[""].packed()) == text_of(BUNDLE.packed())


# The last of them in SQLite alone, which is what a Superset has at first.
NAMES = ("uuid", "slug", "database_name", "table_name")


def unique(assets: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What Superset knows an asset by, of those that are not below a database."""
    for asset in assets:
        yield from (str(asset[key]) for key in NAMES if key in asset)


def text_of(packed: bytes) -> str:
    """All files of an archive."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())
