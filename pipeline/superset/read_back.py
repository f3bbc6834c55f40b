"""Whether Superset holds what was imported, and every chart has its data.

An import answers OK whatever becomes of it, so nothing is believed that was not read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.superset.account import SupersetError
from pipeline.superset.bundle import Asset, Bundle
from pipeline.superset.client import Session
from pipeline.translation import translated as _

_SHOWN_FAILURES = 3


def read_back(session: Session, bundle: Bundle) -> int:
    """Compare every asset with Superset's and ask every chart's data; returns how many charts.

    Raises SupersetError that names what differs, or the charts that have no data and why.
    """
    stale = list(_differing(session, bundle))
    if stale:
        raise SupersetError(
            _(
                "the import was answered with OK, but Superset still holds others: {stale}; "
                "run it again as a user with the role Admin"
            ).format(stale=_some(stale))
        )
    failures: dict[str, list[str]] = {}
    charts = bundle.room("charts")
    for asset in charts.values():
        try:
            chart_data(session, str(asset["uuid"]))
        except SupersetError as failure:
            cause = str(failure).partition(" answers ")[2] or str(failure)
            failures.setdefault(cause, []).append(asset["slice_name"])
    if failures:
        told = "; ".join(
            f"{_some(titles)} ({cause})" for cause, titles in list(failures.items())[:5]
        )
        count = sum(map(len, failures.values()))
        raise SupersetError(
            _(
                "{count} of {charts} charts have no data: {told}; run `python -m pipeline "
                "init` on this OLAP, or correct OLAP_BI_USER and OLAP_BI_PASSWORD"
            ).format(count=count, charts=len(charts), told=told)
        )
    return len(charts)


def chart_data(session: Session, uuid: str, force: bool = True) -> dict[str, Any]:
    """The answer to a chart's query: `data`, `colnames`, `cached_dttm` …; raises SupersetError.

    With `force` Superset asks the OLAP, whatever its cache holds.
    """
    number = session.get(f"/api/v1/chart/{uuid}")["result"]["id"]
    found = session.get(f"/api/v1/chart/{number}/data/?force={str(force).lower()}")
    (result,) = found["result"]
    if result.get("error"):
        raise SupersetError(str(result["error"]))
    return dict(result)


def _differing(session: Session, bundle: Bundle) -> Iterator[str]:
    """The files that Superset's own assets do not follow."""
    for path, asset in bundle.room("datasets").items():
        found = _asset(session, "dataset", asset)
        metrics = {m["metric_name"]: m["expression"] for m in found.get("metrics", ())}
        columns = {c["column_name"]: c["verbose_name"] for c in found.get("columns", ())}
        if metrics != {m["metric_name"]: m["expression"] for m in asset["metrics"]} or (
            columns != {c["column_name"]: c["verbose_name"] for c in asset["columns"]}
        ):
            yield path
    for path, asset in bundle.room("charts").items():
        found = _asset(session, "chart", asset)
        # Superset adds some of its own.
        params = json.loads(found.get("params") or "{}")
        if found.get("slice_name") != asset["slice_name"] or params != params | asset["params"]:
            yield path
    for path, asset in bundle.room("dashboards").items():
        found = _asset(session, "dashboard", asset)
        position = json.loads(found.get("position_json") or "{}")
        metadata = json.loads(found.get("json_metadata") or "{}")
        if (
            found.get("dashboard_title") != asset["dashboard_title"]
            or _layout(position) != _layout(asset["position"])
            or _filters(metadata) != _filters(asset["metadata"])
        ):
            yield path


def _layout(position: Asset) -> Asset:
    """What stands where, without the number that each Superset gives a chart."""
    return {
        key: cell | {"meta": cell["meta"] | {"chartId": None}}
        if isinstance(cell, dict) and "meta" in cell
        else cell
        for key, cell in position.items()
    }


def _filters(metadata: Asset) -> list[Asset]:
    """The filters of the bar, without what is made of such numbers."""
    return [
        {key: value for key, value in given.items() if key not in ("scope", "targets")}
        | {"columns": [target.get("column") for target in given.get("targets") or ()]}
        for given in metadata.get("native_filter_configuration") or ()
    ]


def _asset(session: Session, kind: str, asset: Asset) -> dict[str, Any]:
    return dict(session.get(f"/api/v1/{kind}/{asset['uuid']}")["result"])


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_FAILURES])
    rest = len(names) - _SHOWN_FAILURES
    return _("{shown} and {rest} more").format(shown=shown, rest=rest) if rest > 0 else shown
