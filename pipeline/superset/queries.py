"""The query that a chart asks, made of its parameters as Superset's own pages make it.

Superset keeps it beside the parameters, and its API answers nothing without it: kept in the
files it would be the same said twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.superset.account import SupersetError
from pipeline.translation import translated as _

Params = Mapping[str, Any]


def query_context(params: Params) -> dict[str, Any]:
    """The chart's query context; its datasource is filled in by the import.

    A table that pages asks for a page at a time; this asks for all of it, as an export must.

    Raises SupersetError for a kind of chart that is not known here.
    """
    kind = str(params["viz_type"])
    if kind == "big_number_total":
        query = _query([], [params["metric"]])
    elif kind.startswith("echarts_timeseries_"):
        query = _series(params)
    elif kind == "table":
        query = _table(params)
    else:
        raise SupersetError(
            _("superset/charts: no query is known for the kind {kind}").format(kind=kind)
        )
    query["filters"] = _filters(params)
    query["row_limit"] = params.get("row_limit")
    return {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": dict(params),
        "result_format": "json",
        "result_type": "full",
    }


def _query(columns: list[Any], metrics: list[Any] | None) -> dict[str, Any]:
    return {
        "columns": columns,
        "metrics": metrics,
        "orderby": [],
        "extras": {"having": "", "where": ""},
    }


def _filters(params: Params) -> list[dict[str, Any]]:
    return [
        {"col": given["subject"], "op": given["operator"], "val": given["comparator"]}
        for given in params.get("adhoc_filters", [])
    ]


def _series(params: Params) -> dict[str, Any]:
    axis = {
        "columnType": "BASE_AXIS",
        "sqlExpression": params["x_axis"],
        "label": params["x_axis"],
        "expressionType": "SQL",
    }
    query = _query([axis, *params["groupby"]], params["metrics"])
    query["series_columns"] = params["groupby"]
    query["orderby"] = [[params["metrics"][0], False]]
    return query


def _table(params: Params) -> dict[str, Any]:
    if params["query_mode"] == "raw":
        query = _query(params["all_columns"], None)
        query["orderby"] = [json.loads(order) for order in params["order_by_cols"]]
        return query
    query = _query(params["groupby"], params["metrics"])
    query["orderby"] = [[params["timeseries_limit_metric"], False]]
    return query
