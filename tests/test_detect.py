"""`adapt --detect`: which system a database is of, and drafts that carry what they were made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shop_database import Shop
from test_schemas import COMMON, SHAPES, Shape

pytestmark = pytest.mark.one_postgres


def detect(shop: Shop, *arguments: str, **env: str) -> dict[str, Any]:
    """What it finds."""
    done = shop.succeed("adapt", "--detect", "--json", *arguments, **env)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def drafted(shop: Shop) -> Path:
    """A draft of this database, named by the shop's settings."""
    folder = shop.folder / "borrador"
    found = detect(shop, "--output", str(folder))
    assert {Path(path).parent for path in found["written"]} == {folder}
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    return folder


def adapt(shop: Shop) -> dict[str, Any]:
    """What `adapt` says of the shop's queries."""
    shop.succeed("init")
    said: dict[str, Any] = json.loads(shop.succeed("adapt", "--json").stdout)
    return said


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.heading)
def test_a_draft_of_the_guides_shapes_shows_no_reject(shop: Shop, shape: Shape):
    shop.till(COMMON + shape.tables.replace("%", "%%"))
    folder = drafted(shop)
    print((folder / "movimientos.sql").read_text())
    found = adapt(shop)
    assert found["rejects"] == [] and found["versions"] == []
