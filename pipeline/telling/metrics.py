"""The figures of a run for Prometheus, in a file that node_exporter reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.logs import log
from pipeline.errors import PipelineError, missing_extra
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Notices


# Sample → what it says. One label tells shops apart, some have a second one. No text that was
# released is changed: node_exporter drops a metric, silently, of which two files say otherwise.
HELP = {
    "etl_last_run_success": "1 if the last run succeeded, else 0",
    "etl_last_run_timestamp_seconds": "When the last run ended",
    "etl_last_success_timestamp_seconds": "When a run last succeeded",
    "etl_olap_up": "1 if the OLAP answered after the last run; if 0, its figures are older",
    "etl_window_end_timestamp_seconds": "The end of the last window loaded",
    "etl_lag_seconds": "How old the end of the last window was when this was written",
    "etl_window_rows": "Movements of the last window loaded, by what became of them",
    "etl_window_step_seconds": "Duration of each step of the last window loaded",
    "etl_closed_until_timestamp_seconds": "The end of what is closed; 0 if nothing is",
    "etl_corrections_since_closing": "Movements of closed periods that came late, were corrected "
    "or were taken back since the last closing",
    "etl_rejects_waiting": "Movements that cannot be valued yet",
    "etl_provisional_movements": "Sales that still wait for the receipt of what they sold; "
    "of the 1,000 products furthest below zero, and 100 movements each at most",
    "etl_stock_differences": "Products whose stock is not the shop's own; "
    "0 without existencias.sql, too",
    "etl_products_below_zero": "Products whose stock is below zero",
    "etl_stock_value": "Value of the stock above zero, at average cost",
}
_SECOND_LABEL = {"etl_window_rows": "type", "etl_window_step_seconds": "step"}

# Sample and second label → value.
Figures = dict[tuple[str, str], float]

_ROWS = {
    "read": "filas_leidas",
    "new": "nuevas",
    "changed": "cambiadas",
    "removed": "retiradas",
    "same": "iguales",
    "out_of_scope": "fuera_de_alcance",
    "rejected": "rechazadas",
    "revalued": "revaluadas",
    "sale": "ventas",
    "receipt": "entradas",
}
_STEPS = {
    "extract": "segundos_extraccion",
    "load": "segundos_carga",
    "views": "segundos_vistas",
}


def write(notices: Notices, *, succeeded: bool) -> None:
    """Write ETL_METRICS_FILE, if it is set, in place of the last one.

    When the OLAP cannot be asked, its figures stay as the last file had them. What
    prevents the writing is logged.
    """
    path = notices.metrics_file
    if path is None or not _has_client():
        return
    olap_name, figures = collect(lambda olap: _previous(path, olap), succeeded=succeeded)
    replace_file(path, {"": (olap_name, figures)})


def collect(
    previous: Callable[[str | None], tuple[str, Figures]], *, succeeded: bool
) -> tuple[str, Figures]:
    """The OLAP's name and the figures after a run; those that it does not say stay as they were.

    `previous` gives the earlier ones of an OLAP, or of the one that there was where it is None.
    """
    now = time.time()
    try:
        settings = load_settings()
    except PipelineError as failure:
        # The run failed on this: the file says so under the name that it had.
        log.warning(_("metrics: %s"), failure)
        name, figures = previous(None)
        figures["etl_olap_up", ""] = 0
    else:
        name = f"{settings.olap.host}:{settings.olap.port}/{settings.olap.name}"
        figures = previous(name)[1]
        try:
            figures |= from_olap(olap.metrics(settings))
            figures["etl_olap_up", ""] = 1
        except PipelineError as failure:
            log.warning(_("metrics: %s"), failure)
            figures["etl_olap_up", ""] = 0
    figures["etl_last_run_success", ""] = float(succeeded)
    figures["etl_last_run_timestamp_seconds", ""] = now
    if succeeded:
        figures["etl_last_success_timestamp_seconds", ""] = now
    end = figures.get(("etl_window_end_timestamp_seconds", ""))
    if end is not None:
        figures["etl_lag_seconds", ""] = now - end
    return name, figures


def replace_file(path: Path, by_shop: Mapping[str, tuple[str, Figures]]) -> None:
    """Write the file of these shops, each with its OLAP; what prevents it is logged."""
    try:
        _write(path, by_shop)
    except OSError as error:
        log.warning(_("ETL_METRICS_FILE %s cannot be written: %s"), path, error.strerror or error)


def _has_client() -> bool:
    try:
        require_client()
    except PipelineError as failure:
        log.warning(_("no metrics: %s"), failure)
        return False
    return True


def require_client() -> None:
    """Raises PipelineError, which names what to install, without the extra `metrics`."""
    try:
        import prometheus_client  # noqa: F401
    except ImportError as error:
        raise missing_extra("ETL_METRICS_FILE", "metrics", error) from error


def others_say(path: Path) -> dict[str, str]:
    """The metrics of ours on which other files of the folder differ in HELP or TYPE: which file."""
    found = {}
    for other in sorted(path.parent.glob("*.prom")):
        if other == path:
            continue
        with suppress(OSError, UnicodeDecodeError):
            for line in other.read_text(encoding="utf-8").splitlines():
                mark, kind, name, said = (line.split(" ", 3) + [""] * 3)[:4]
                if (
                    mark == "#"
                    and name in HELP
                    and said != {"HELP": HELP[name], "TYPE": "gauge"}.get(kind)
                ):
                    found[name] = other.name
    return found


def from_olap(state: dict[str, Any]) -> Figures:
    """The figures in what etl.metricas() gives; those that are not known are left out."""
    figures: Figures = {
        ("etl_rejects_waiting", ""): state["rechazos"],
        ("etl_provisional_movements", ""): state["provisionales"],
        ("etl_stock_differences", ""): state["diferencias"],
        ("etl_products_below_zero", ""): state["bajo_cero"],
        ("etl_stock_value", ""): state["valor"],
        # Of a closing that was undone nothing may stay.
        ("etl_closed_until_timestamp_seconds", ""): 0,
        ("etl_corrections_since_closing", ""): 0,
    }
    if closing := state["cierre"]:
        until = olap.moment(closing["hasta"])
        assert until is not None
        booked = closing["correcciones"]
        figures["etl_closed_until_timestamp_seconds", ""] = until.timestamp()
        figures["etl_corrections_since_closing", ""] = sum(
            booked[name] for name in ("tarde", "corregidas", "retiradas")
        )
    end = olap.moment(state["hasta"])
    if end is not None:
        figures["etl_window_end_timestamp_seconds", ""] = end.timestamp()
    window = state["ventana"]
    if window is not None:
        for kind, column in _ROWS.items():
            figures["etl_window_rows", kind] = window[column]
        for step, column in _STEPS.items():
            if window[column] is not None:
                figures["etl_window_step_seconds", step] = window[column]
    return {key: float(value) for key, value in figures.items()}


def _previous(path: Path, shop: str | None) -> tuple[str, Figures]:
    """The shop and figures of the file as it is; none if there is none, or it is not `shop`'s."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, Figures] = {}
    try:
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
            for sample in family.samples:
                if sample.name in HELP:
                    second = sample.labels.get(_SECOND_LABEL.get(sample.name, ""), "")
                    own = found.setdefault(sample.labels.get("olap", ""), {})
                    own[sample.name, second] = sample.value
    except (OSError, ValueError, KeyError):
        found = {}
    if shop is None:
        shop = next(iter(found), "")
    return shop, found.get(shop, {})


def _write(path: Path, by_shop: Mapping[str, tuple[str, Figures]]) -> None:
    """A label `shop` tells shops apart where there are many; without a name there is none."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for shop, (olap_name, figures) in sorted(by_shop.items()):
        whose = {"olap": olap_name} | ({"shop": shop} if shop else {})
        for (name, second), value in sorted(figures.items()):
            label = _SECOND_LABEL.get(name)
            labels = whose | ({label: second} if label else {})
            if name not in gauges:
                gauges[name] = Gauge(name, HELP[name], tuple(labels), registry=registry)
            gauges[name].labels(**labels).set(value)
    write_to_textfile(str(path), registry)
