"""Charts: Vega-Lite specifications, drawn as SVG while the page is written.

Colours are variables of the page's CSS, so that the dark mode needs no second drawing.
A chart is as wide as a telephone: on larger screens it grows with its text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

import vl_convert

from pipeline.base.voice import Voice
from pipeline.report.parts import shortened

_WIDTH = 340
_FONT_SIZE = 11
# Vega reckons with the font that vl-convert brings along, which is of Arial's widths. The
# browser's may be wider: what the figures of an axis then take more must fit in the padding.
_PADDING = 8
# The compiler among those that vl-convert brings along; a newer one may draw differently.
_VEGA_LITE = "6.4"
_MAIN, _SECOND, _PALE = "var(--main)", "var(--second)", "var(--pale)"
_CONFIG: dict[str, Any] = {
    "aria": False,  # one name for the whole drawing; its figures are in the table beneath
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)",
        "gridColor": "var(--line)",
        "labelColor": "var(--ink)",
        "labelFontSize": _FONT_SIZE,
        "tickColor": "var(--line)",
        "title": None,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": _FONT_SIZE,
        "columnPadding": 28,
        "orient": "top",
        "symbolType": "square",
        "title": None,
    },
    "text": {"color": "var(--ink)", "fontSize": _FONT_SIZE},
}


@dataclass(frozen=True)
class Series:
    """Amounts under the name that the legend shows, one for each label or day."""

    name: str
    amounts: Sequence[Decimal]


def draw(specification: dict[str, Any], name: str, voice: Voice) -> str:
    """The SVG of a specification, `name` being what a screen reader says of it."""
    svg = vl_convert.vegalite_to_svg(
        {
            "width": _WIDTH,
            "autosize": {"type": "fit", "contains": "padding"},
            "padding": {"left": _PADDING, "right": _PADDING, "top": 4, "bottom": 4},
            "config": _CONFIG,
            **specification,
        },
        vl_version=_VEGA_LITE,
        format_locale=voice.chart_numbers(),
        # What it names is written into it: there is nothing to fetch.
        allowed_base_urls=[],
    )
    label = escape(name, quote=True)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def side_by_side(labels: Sequence[str], series: Sequence[Series]) -> dict[str, Any]:
    """Bars in groups, one group a label; the last series is the one that matters."""
    values = [
        # Labels may repeat, such as the same day of two months.
        {"place": f"{number:03}", "series": one.name, "amount": float(amount)}
        for one in series
        for number, amount in enumerate(one.amounts)
    ]
    names = [one.name for one in series]
    return {
        "height": 190,
        "data": {"values": values},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "place",
                "type": "ordinal",
                # A line each for the day and its number: beside each other they may touch the next.
                "axis": {
                    "labelAngle": 0,
                    "ticks": False,
                    "labelExpr": f"split({_lookup(labels)}, ' ')",
                },
                "scale": {"paddingInner": 0.25},
            },
            "xOffset": {"field": "series", "sort": names},
            "y": _amount_axis(values),
            "color": _colours(names, [_PALE, _MAIN]),
        },
    }


def by_day(
    days: Sequence[date], bars: Series | None, line: Series | None, voice: Voice
) -> dict[str, Any]:
    """A bar a day, a line over the days, or both."""
    layers: list[dict[str, Any]] = []
    names = [one.name for one in (bars, line) if one]
    every = max(1, -(-len(days) // 6))
    axis = {
        "values": [day.isoformat() for day in days[::every]],
        "labelAngle": 0,
        "labelExpr": _lookup({day.isoformat(): voice.day(day) for day in days[::every]}),
    }
    values = [
        {"day": day.isoformat(), "series": one.name, "amount": float(amount)}
        for one in (bars, line)
        if one
        for day, amount in zip(days, one.amounts, strict=True)
    ]
    for one, mark in (
        (bars, {"type": "bar"}),
        (line, {"type": "line", "strokeWidth": 2, "point": len(days) == 1}),
    ):
        if one:
            layers.append({"mark": mark, "transform": [_only(one.name)]})
    return {
        "height": 190,
        "data": {"values": values},
        "layer": layers,
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "axis": axis},
            "y": _amount_axis(values),
            "color": _colours(names, [_PALE, _MAIN] if len(names) > 1 else [_MAIN]),
        },
    }


def value_over_time(days: Sequence[date], amounts: Sequence[Decimal], voice: Voice) -> Any:
    """What there was at the end of each day, filled down to zero."""
    name = ""
    chart = by_day(days, None, Series(name, amounts), voice)
    chart["encoding"]["color"] = {"value": _MAIN}
    chart["layer"].insert(0, {"mark": {"type": "area", "opacity": 0.25, "line": False}})
    return chart


def curve(shares: Sequence[tuple[Decimal, Decimal]], steps: Sequence[float]) -> dict[str, Any]:
    """A curve from nothing to all, both axes being shares, with a rule at each of `steps`."""

    def axis(field: str, grid: bool) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": [0, 1]},
            "axis": {"format": ".0%", "tickCount": 5, "grid": grid},
        }

    values = [{"x": 0.0, "y": 0.0}] + [{"x": float(x), "y": float(y)} for x, y in shares]
    return {
        "height": 190,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "area", "color": _MAIN, "opacity": 0.25},
                "encoding": {"x": axis("x", False), "y": axis("y", True)},
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "color": _MAIN},
                "encoding": {"x": axis("x", False), "y": axis("y", True)},
            },
            {
                "data": {"values": [{"y": step} for step in steps]},
                "mark": {"type": "rule", "color": _SECOND, "strokeDash": [4, 3]},
                "encoding": {"y": axis("y", True)},
            },
        ],
    }


def _only(series: str) -> dict[str, Any]:
    return {"filter": {"field": "series", "equal": series}}


def _colours(names: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(colours[: len(names)])},
        "legend": {} if len(names) > 1 else None,
    }


def _amount_axis(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "field": "amount",
        "type": "quantitative",
        "stack": None,
        "axis": {"tickCount": 4, "format": _number_format(values)},
    }


def _number_format(values: Sequence[dict[str, Any]]) -> str:
    """Figures of five digits and more are shortened (12k), since they would take the room."""
    return "~s" if any(abs(value["amount"]) >= 10_000 for value in values) else ",~r"


def _lookup(labels: Sequence[str] | dict[str, str]) -> str:
    """An expression of Vega: the label of a value, given as data and never as code.

    A blank before each keeps apart from JavaScript's own names a label such as constructor.
    """
    if not isinstance(labels, dict):
        labels = {f"{number:03}": label for number, label in enumerate(labels)}
    texts = {value: f" {shortened(label)}" for value, label in labels.items()}
    return f"slice(({json.dumps(texts)})[datum.value] || ' ', 1)"
