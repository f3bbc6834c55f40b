"""What an import left as it was is named, whatever it answered; the Superset is a stand-in."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import reduce
from operator import getitem
from types import SimpleNamespace
from typing import Any

import pytest
from test_superset_files import BUNDLE, CHARTS, cells

from pipeline.superset.account import SupersetError
from pipeline.superset.read_back import read_back

BOARD = "dashboards/salud-del-etl.yaml"


def superset_with(files: dict[str, Any]) -> Any:
    """In the place of a session: a Superset that holds these files, and data for every chart."""
    held = {asset.get("uuid"): asset for asset in files.values()}

    def get(path: str) -> dict[str, Any]:
        if "/data/" in path:
            return {"result": [{"data": []}]}
        uuid = path.rpartition("/")[2]
        asset = held[uuid]
        texts = {
            "params": json.dumps(asset.get("params", {}) | {"slice_id": 7}),
            "position_json": json.dumps(asset.get("position", {})),
            "json_metadata": json.dumps(asset.get("metadata", {})),
        }
        return {"result": {**asset, **texts, "id": uuid}}

    return SimpleNamespace(get=get)


@pytest.mark.parametrize(
    "path, where, value",
    [
        ("datasets/mv_abc.yaml", ("metrics", 0, "expression"), "count(1)"),
        ("datasets/mv_abc.yaml", ("columns", 0, "verbose_name"), "Otro"),
        ("charts/duracion.yaml", ("slice_name",), "Otro"),
        ("charts/duracion.yaml", ("params", "y_axis_format"), "d"),
        (BOARD, ("dashboard_title",), "Otro"),
        (BOARD, ("position", "CHART-duracion", "meta", "width"), 5),
        (
            BOARD,
            ("metadata", "native_filter_configuration", 0, "name"),
            "",
        ),
    ],
)
def test_what_the_import_left_stale_is_named(path: str, where: tuple[str | int, ...], value: Any):
    files = deepcopy(BUNDLE.files)
    for cell in cells(files[BOARD]):
        cell["chartId"] += 100
    assert read_back(superset_with(files), BUNDLE) == len(CHARTS)
    *way, last = where
    reduce(getitem, way, files[path])[last] = value
    with pytest.raises(SupersetError, match=f"still holds others: {path};"):
        read_back(superset_with(files), BUNDLE)
