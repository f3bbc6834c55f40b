"""The bench runs, and what it measures has not fallen far behind: ratios, with wide margins.

At 100,000 movements on two cores with nothing beside it, row by row (of 20,000) took 4 and 10
times as long as the pipeline, and the pipeline 6 times as long as the floor, since Python's
start is a good part of it. The limits stand off by a factor of four, since other tests run
beside this one: they catch a plan gone wrong, not a slow day. They hold for so many, with --long;
else a tenth is carried, and times are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from shop_server import PASSWORD, ShopServer

from bench import closing, dashboards, idle, late, million, shops, types, wide, words
from bench.measure import Series
from bench.place import Place, Side
from bench.report import as_json, print_ratios, print_series, ratios
from pipeline.errors import PipelineError

ROWS = 100_000


@pytest.fixture
def place(new_server: Callable[[], ShopServer], tmp_path: Path) -> Place:
    """A server of its own, since the bench makes databases by fixed names."""
    server = new_server().server
    side = Side(server.host, server.port, server.superuser, PASSWORD, "postgres")
    return Place(side, side, tmp_path, server)


def by_name(series: list[Series]) -> dict[str, Series]:
    return {one.name: one for one in series}


@pytest.mark.longest
@pytest.mark.one_postgres
def test_what_is_measured_has_not_fallen_far_behind(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
):
    whole = request.config.getoption("--long")
    rows = ROWS if whole else ROWS // 10
    monkeypatch.setattr(million, "ROW_BY_ROW", rows // 5)
    found = {"million": million.measure(place, rows, 1), "idle": idle.measure(place, 1)}
    found["late"] = late.measure(place, rows, 1)
    for part, series in found.items():
        print_series(part, series)
    print_ratios(found)
    shown = capsys.readouterr().out

    assert set(as_json(found)) == {*found, "ratios"}
    one, many = found["late"]
    # Each of the two replays a share of what the first run carried.
    assert one.notes["revalued"] == [rows // 100]
    assert many.note("revalued") > 0.2 * rows
    measured = {what: ratio for what, ratio, _ in ratios(found)}
    assert {"row by row (a) / first", "first / its floor", "second / its floor"} < measured.keys()
    if not whole:
        return
    assert measured["row by row (a) / first"] > 1, shown
    assert measured["row by row (b) / first"] > 2, shown
    assert measured["first / its floor"] < 25, shown
    assert measured["second / its floor"] < 30, shown
    first = by_name(found["million"])["first"]
    assert one.note("load") < first.median / 2, shown
    assert many.note("load") < 1.5 * first.median, shown
    client, idling = first.note("client_mb"), by_name(found["idle"])["luigi itself, idle"]
    assert client < idling.note("client_mb") + 60, shown


@pytest.mark.one_postgres
def test_the_four_ways_carry_the_same(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(million, "ROW_BY_ROW", 5_000)
    million.measure(place, 5_000, 1)
    with place.olap.connect("bench_olap") as ours, place.olap.connect("bench_plain") as plain:
        rows = []
        for connection, table in ((ours, "dw.kardex"), (plain, "libro")):
            cursor = connection.cursor()
            cursor.execute(
                "SELECT id_movimiento, id_producto, tipo, cantidad, existencias, valor,"
                f" costo_promedio FROM {table} ORDER BY id_movimiento"
            )
            rows.append(cursor.fetchall())
        cursor = ours.cursor()
        cursor.execute("SELECT count(*) FROM bench.piso")
        assert cursor.fetchone()[0] == 5_000
    assert len(rows[0]) == 5_000
    assert rows[0] == rows[1]


@pytest.mark.one_postgres
def test_a_shop_of_every_type(place: Place):
    plain, mixed = types.measure(place, 3_000, 1)
    assert plain.per == 3_000 < mixed.per
    with place.olap.connect("bench_olap_bench_mixed") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), count(DISTINCT tipo), count(id_origen) FROM dw.kardex")
        rows, kinds, named = cursor.fetchone()
    assert (rows, kinds) == (mixed.per, 8)
    assert named > 50


def test_no_dashboard_waits_for_a_run(place: Place):
    beside, alone = dashboards.measure(place, 20_000, 1)
    assert beside.notes["seen_waiting_for_a_lock"] == [0]
    # Each of them at least once; how often is the machine's affair.
    assert len(beside.seconds) >= len(dashboards.QUERIES)
    assert len(alone.seconds) >= len(dashboards.QUERIES)


@pytest.mark.one_postgres
def test_a_database_of_somebody_else_is_not_dropped(place: Place):
    place.oltp.run("postgres", "CREATE DATABASE bench_oltp")
    with pytest.raises(PipelineError, match="bench_oltp that no bench made"):
        million.measure(place, 1_000, 1)


@pytest.mark.longest
@pytest.mark.one_postgres
def test_a_wide_catalogue(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wide, "PRODUCTS", 300)
    first, small, night, proof = wide.measure(place, 3_000, 1)
    assert all(len(series.seconds) == 1 for series in (first, small, night, proof))
    assert small.note("refresh") > 0 and night.note("load") > 0


@pytest.mark.one_postgres
def test_the_shops_own_words(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "PRODUCTS", 50)
    found = {"words": words.measure(place, 1_000, 1)}
    assert len(ratios(found)) == 3
    # Each is what it is called: by what the OLAP holds of it.
    told = "SELECT count(id_documento), count(clave) FROM dw.documento_movimiento"
    for name, query, expected in (
        ("documents", told, (1_200, 0)),
        ("text", told, (0, 1_200)),
        ("levels", "SELECT count(*) FROM dw.existencias_tienda", (50,)),
    ):
        with place.olap.connect(f"bench_olap_words_{name}") as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            assert cursor.fetchone() == expected


@pytest.mark.one_postgres
def test_many_shops(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shops, "ALONE", 1)
    found = shops.measure(place, 2, 1)
    assert len(found) == 6 and all(series.note("client_cpu_ms_a_shop") > 0 for series in found)
    # The first was carried as a process, too; a round with nothing new has no window.
    for number, movements in ((0, 1_150), (1, 1_100)):
        with place.olap.connect(f"bench_olap_many_{number}") as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT count(*) FROM dw.kardex")
            assert cursor.fetchone() == (movements,)


@pytest.mark.one_postgres
def test_months_are_closed(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(closing, "PRODUCTS", 100)
    monkeypatch.setattr(closing, "MONTHS", 2)
    one, *before_and_after = closing.measure(place, 3_000, 1)
    with place.olap.connect("bench_olap_close") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), sum(movimientos) FROM dw.cierre")
        closings, rows = cursor.fetchone()
    assert closings == len(one.seconds) == 2
    assert abs(rows - 2 * one.per) < one.per / 10
    assert [len(series.seconds) for series in before_and_after] == [1, 1, 1, 1]
