"""`adapt --detect`: which system a database is of, and drafts that carry what they were made of."""

from __future__ import annotations

import json
from decimal import Decimal
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


def accepted(folder: Path) -> None:
    """Its owner has read it: the mark goes."""
    for path in folder.glob("*.sql"):
        mark, rest = path.read_text(encoding="ascii").split("\n", 1)
        assert mark.startswith("-- BORRADOR")
        path.write_text(rest, encoding="ascii")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.heading)
def test_a_draft_of_the_guides_shapes_carries_that_shop(shop: Shop, shape: Shape):
    """No reject, and the stock and value that the guide's own query has there, by hand."""
    shop.till(COMMON + shape.tables.replace("%", "%%"))
    folder = drafted(shop)
    found = adapt(shop)
    print((folder / "movimientos.sql").read_text())
    assert found["rejects"] == [] and found["versions"] == []
    assert sum(t["movements"] for t in found["unknown_types"]) == shape.untyped
    accepted(folder)
    for number in (0, 1):
        shop.run()
        stock = {
            (row["id_producto"], row["id_sucursal"]): int(row["existencias"])
            for row in shop.olap_rows("SELECT * FROM dw.existencias_sucursal")
            if row["existencias"]
        }
        assert stock == shape.stock[number]
        (value,) = shop.olap_rows("SELECT sum(valor) AS valor FROM dw.inventario")
        assert value["valor"] == Decimal(shape.value[number])
        shop.till(shape.then)
