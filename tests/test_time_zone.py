"""A shop east or west of Greenwich: windows are labelled in UTC, days are cut where it is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

from pipeline.window import Window, parse_label

INITIAL = datetime(2026, 1, 1, tzinfo=timezone.utc)


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


@pytest.mark.parametrize("year", [1, 999, 1999, 9999])
def test_a_label_of_any_year_is_read_back(year: int):
    window = Window(datetime(year, 1, 2, 3, 4, 5, tzinfo=timezone.utc), INITIAL)
    assert parse_label(window.label) == window
