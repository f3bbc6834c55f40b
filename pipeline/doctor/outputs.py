"""What a run leaves beside the OLAP where it is asked to: report, notices, metrics, dashboards.

The report fails a run; the others, which follow it, only warn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.doctor.findings import Finding, refused
from pipeline.errors import PipelineError, SettingsError
from pipeline.report.publish import renderer
from pipeline.superset.account import load_account
from pipeline.telling.metrics import require_client
from pipeline.telling.notify import not_understood

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings


def report(settings: Settings) -> Iterator[Finding]:
    """There is an account to read it with, and what writes it is installed."""
    if settings.report_path is not None:
        renderer(settings)
        yield Finding("ok", "report", "installed, with an account to read the views")


def report_place(settings: Settings) -> Iterator[Finding]:
    """A page can be put where ETL_REPORT_PATH says."""
    if settings.report_path is not None:
        yield _place("report's place", settings.report_path, "ETL_REPORT_PATH")


def notices(settings: Settings) -> Iterator[Finding]:
    """Apprise is installed, and understands each channel: else the first failure is not told."""
    urls = settings.notices.urls
    if not urls:
        return
    try:
        strange = not_understood(urls)
    except PipelineError as failure:
        yield _warned(refused("notices", failure))
        return
    if strange:
        found = f"Apprise does not understand the URL of {', '.join(strange)}"
        yield Finding("warning", "notices", found, "correct ETL_NOTIFY_URLS")
    else:
        yield Finding("ok", "notices", f"Apprise understands every URL ({len(urls)})")


def metrics(settings: Settings) -> Iterator[Finding]:
    """Prometheus' client is installed, and the file can be put where ETL_METRICS_FILE says."""
    path = settings.notices.metrics_file
    if path is None:
        return
    try:
        require_client()
    except PipelineError as failure:
        yield _warned(refused("metrics", failure))
    place = _place("metrics", path, "ETL_METRICS_FILE")
    if place.state != "ok":
        yield _warned(place)
    elif path.suffix == ".prom":
        yield place
    else:
        found = f"{path.name} does not end in .prom: node_exporter passes over it without a word"
        yield Finding("warning", "metrics", found, "correct ETL_METRICS_FILE")


def superset(_: Settings) -> Iterator[Finding]:
    """The address by which a window renews the dashboards is one; nobody is asked there."""
    try:
        account = load_account()
    except SettingsError as failure:
        yield _warned(refused("superset", failure, "correct SUPERSET_URL"))
        return
    if account is not None:
        yield Finding("ok", "superset", f"{account.url}, not asked")


def _warned(finding: Finding) -> Finding:
    return replace(finding, state="warning")


def _place(what: str, path: Path, setting: str) -> Finding:
    """Whether a new file can take the place of `path`.

    Nothing is written to find out: others watch such a folder, a web server or node_exporter.
    """
    folder = path.parent
    if not folder.is_dir():
        found = f"{folder} is no folder" if folder.exists() else f"{folder} does not exist"
    elif not os.access(folder, os.W_OK | os.X_OK):
        found = f"{folder} cannot be written"
    elif path.is_dir():
        found = f"{path} is a folder"
    else:
        return Finding("ok", what, str(path))
    remedy = f"make its folder for the user that cron runs as, or correct {setting}"
    return Finding("error", what, found, remedy)


CHECKS: tuple[tuple[str, Callable[[Settings], Iterable[Finding]]], ...] = (
    ("report", report),
    ("report's place", report_place),
    ("notices", notices),
    ("metrics", metrics),
    ("superset", superset),
)
