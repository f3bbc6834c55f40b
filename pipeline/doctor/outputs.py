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
from pipeline.telling.metrics import others_say, require_client
from pipeline.telling.notify import not_understood
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings


def report(settings: Settings) -> Iterator[Finding]:
    """There is an account to read it with, and what writes it is installed."""
    if settings.report_path is not None:
        renderer(settings)
        yield Finding("ok", _("report"), _("installed, with an account to read the views"))


def report_place(settings: Settings) -> Iterator[Finding]:
    """A page can be put where ETL_REPORT_PATH says."""
    if settings.report_path is not None:
        yield _place(_("report's place"), settings.report_path, "ETL_REPORT_PATH")


def notices(settings: Settings) -> Iterator[Finding]:
    """Apprise is installed, and understands each channel: else the first failure is not told."""
    urls = settings.notices.urls
    if not urls:
        return
    try:
        strange = not_understood(urls)
    except PipelineError as failure:
        yield _warned(refused(_("notices"), failure))
        return
    if strange:
        found = _("Apprise does not understand the URL of {strange}").format(
            strange=", ".join(strange)
        )
        yield Finding("warning", _("notices"), found, _("correct ETL_NOTIFY_URLS"))
    else:
        yield Finding(
            "ok", _("notices"), _("Apprise understands every URL ({urls})").format(urls=len(urls))
        )


def metrics(settings: Settings) -> Iterator[Finding]:
    """Prometheus' client is installed, and the file can be put where ETL_METRICS_FILE says."""
    path = settings.notices.metrics_file
    if path is None:
        return
    try:
        require_client()
    except PipelineError as failure:
        yield _warned(refused(_("metrics"), failure))
    place = _place(_("metrics"), path, "ETL_METRICS_FILE")
    if strange := others_say(path):
        name, file = next(iter(strange.items()))
        found = _(
            "{file} says of {name} something else: node_exporter drops the figures of one of both"
        ).format(file=file, name=name)
        remedy = _("upgrade the pipeline that writes it, or remove the file if none does")
        yield Finding("warning", _("metrics"), found, remedy)
    if place.state != "ok":
        yield _warned(place)
    elif path.suffix == ".prom":
        yield place
    else:
        found = _(
            "{name} does not end in .prom: node_exporter passes over it without a word"
        ).format(name=path.name)
        yield Finding("warning", _("metrics"), found, _("correct ETL_METRICS_FILE"))


def superset(settings: Settings) -> Iterator[Finding]:
    """The address by which a window renews the dashboards is one; nobody is asked there."""
    del settings
    try:
        account = load_account()
    except SettingsError as failure:
        yield _warned(refused("superset", failure, _("correct SUPERSET_URL")))
        return
    if account is not None:
        yield Finding("ok", "superset", _("{url}, not asked").format(url=account.url))


def _warned(finding: Finding) -> Finding:
    return replace(finding, state="warning")


def _place(what: str, path: Path, setting: str) -> Finding:
    """Whether a new file can take the place of `path`.

    Nothing is written to find out: others watch such a folder, a web server or node_exporter.
    """
    folder = path.parent
    if not folder.is_dir():
        found = (
            _("{folder} is no folder").format(folder=folder)
            if folder.exists()
            else _("{folder} does not exist").format(folder=folder)
        )
    elif not os.access(folder, os.W_OK | os.X_OK):
        found = _("{folder} cannot be written").format(folder=folder)
    elif path.is_dir():
        found = _("{path} is a folder").format(path=path)
    elif path.exists() and not path.is_file():
        found = _("{path} is no file").format(path=path)
    else:
        return Finding("ok", what, str(path))
    remedy = _("make its folder for the user that cron runs as, or correct {setting}").format(
        setting=setting
    )
    return Finding("error", what, found, remedy)


CHECKS: tuple[tuple[str, Callable[[Settings], Iterable[Finding]]], ...] = (
    (N_("report"), report),
    (N_("report's place"), report_place),
    (N_("notices"), notices),
    (N_("metrics"), metrics),
    ("superset", superset),
)
