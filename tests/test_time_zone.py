"""A shop east or west of Greenwich: windows are labelled in UTC, days are cut where it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

from pipeline.state.window import Window, parse_label

INITIAL = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.one_postgres
@pytest.mark.parametrize("zone", ["America/Lima", "Asia/Kolkata"])
def test_each_window_has_the_folder_of_its_utc_bounds(shop: Shop, zone: str):
    shop.env |= {"ETL_INITIAL_SINCE": INITIAL.isoformat(), "ETL_TIMEZONE": zone}
    shop.product(1)
    state = Path(shop.env["ETL_STATE_DIR"])
    for day in range(3):
        # Around midnight in UTC, which is midnight nowhere else.
        shop.receipt(INITIAL + timedelta(days=day + 1, seconds=-1), (1, 5, 2))
        shop.sale(INITIAL + timedelta(days=day + 1), (1, 2, 3))
        assert "restored from a backup" not in shop.run().stdout
    labels = {
        f"{row['desde']:%Y%m%dT%H%M%SZ}--{row['hasta']:%Y%m%dT%H%M%SZ}"
        for row in shop.olap_rows("SELECT desde, hasta FROM etl.corrida")
    }
    assert len(labels) == 3
    assert {folder.name for folder in state.iterdir() if "--" in folder.name} == labels
    assert_olap_equals_replay(shop, INITIAL, zone=zone)


# Where a clock is put back from 1 to 0 o'clock, a day has two beginnings; here, to the day before.
@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("zone", "sold"),
    [
        ("America/Havana", "2025-11-02T00:30:00-04:00"),
        ("Atlantic/Azores", "2025-10-26T00:30:00+00:00"),
        ("America/Santiago", "2025-04-05T23:30:00-03:00"),
    ],
)
def test_a_day_begins_once(shop: Shop, zone: str, sold: str):
    shop.env |= {"ETL_INITIAL_SINCE": "2025-01-01", "ETL_TIMEZONE": zone}
    moment = datetime.fromisoformat(sold)
    shop.product(1)
    shop.receipt(moment - timedelta(days=30), (1, 100, 5))
    shop.sale(moment, (1, 7, 9))
    shop.sale(moment + timedelta(days=20), (1, 3, 9))

    def rolled() -> tuple[int, int]:
        (sums,) = shop.olap_rows("SELECT * FROM dw.resumen_movil")
        return int(sums["unidades_90"]), int(sums["unidades_365"])

    for days, sums in (
        (21, (10, 10)),
        (89, (10, 10)),
        (91, (3, 10)),
        (364, (0, 10)),
        (366, (0, 3)),
    ):
        shop.run("--as-of", (moment + timedelta(days=days)).isoformat())
        assert rolled() == sums, days
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
    # As version 7 left it, perhaps.
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.resumen_movil SET unidades_90 = 7")
        cursor.execute("UPDATE etl.control SET esquema = 7")
    shop.succeed("init")
    assert rolled() == (0, 3)
    day = moment.date()
    for desde, hasta, found in (
        (day, day, 1),
        (day - timedelta(days=1), day - timedelta(days=1), 0),
        (day + timedelta(days=1), day + timedelta(days=1), 0),
    ):
        period = ["--desde", desde.isoformat(), "--hasta", hasta.isoformat(), "--json"]
        ledger = json.loads(shop.succeed("kardex", "1", *period).stdout)
        assert len(ledger["movements"]) == found, desde


@pytest.mark.parametrize("year", [1, 999, 1999, 9999])
def test_a_label_of_any_year_is_read_back(year: int):
    window = Window(datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC), INITIAL)
    assert parse_label(window.label) == window
