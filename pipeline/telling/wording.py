"""Words of a notice: the cause without secrets, the command to type, the window and its time."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from luigi.rpc import RPCError

from pipeline.errors import DataError, GuardError, PipelineError, SchemaError, one_line
from pipeline.settings import load_settings, shops
from pipeline.settings.moments import in_zone
from pipeline.state.window import Window, parse_label
from pipeline.telling.messages import say
from pipeline.translation import translated as _

_LONGEST_CAUSE = 500


def typed(command: str) -> str:
    """A command of ours as it works wherever it is typed: in this folder, by its whole path."""
    program, _, rest = command.partition(" ")
    here = Path(sys.executable)
    place = here if program == "python" else here.with_name(program)
    path = shlex.quote(str(place)) if place.exists() else program
    return f"cd {shlex.quote(str(Path.cwd()))} && {path} {rest}"


def shop_zone() -> str:
    """The shop's zone, UTC where the settings cannot be read."""
    try:
        return load_settings().timezone
    except PipelineError:
        return "UTC"


def dated(language: str, window: Window | str) -> str:
    """A window by its name, and its end in the shop's zone."""
    known = parse_label(window) if isinstance(window, str) else window
    if known is None:
        return str(window)
    return say(language, "window", window=known, until=in_zone(known.hasta, shop_zone()))


def first_line(failure: BaseException | str | None) -> str:
    """The first line of a cause, shortened, without our passwords."""
    if failure is None:
        return ""
    text = str(failure)
    if isinstance(failure, BaseException) and not isinstance(failure, PipelineError):
        text = f"{type(failure).__name__}: {text}"
    first = one_line(next(iter(text.strip().splitlines()), ""))
    for secret in _passwords():
        first = first.replace(secret, "****")
    return first[:_LONGEST_CAUSE]


def for_the_page(failure: BaseException | str | None) -> str:
    """A cause as the shop's page says it: it may hang on a wall, or stand on a web server."""
    if isinstance(failure, RPCError):
        return _("the scheduler, luigid, cannot be reached")
    plain = failure.plain if isinstance(failure, PipelineError) else None
    return plain or first_line(failure)


def _passwords() -> set[str]:
    try:
        settings = load_settings()
    except PipelineError:
        return set()
    accounts = (
        *(settings.oltp, settings.oltp_admin),
        *(settings.olap, settings.olap_admin, settings.olap_bi),
    )
    # One that is part of ordinary words would make the message unreadable.
    return {account.password for account in accounts if account and len(account.password) > 3}


def next_command(failure: BaseException | str | None) -> str:
    """What shows whether the cause is mended: the plan where it is data, else a run."""
    shop = shops.current()
    if isinstance(failure, DataError | GuardError | SchemaError):
        return f"python -m pipeline{f' --shop {shop}' if shop else ''} plan"
    run = f"RunShops --only {shop}" if shop else "RunDue"
    return f"luigi --module pipeline {run} --local-scheduler"
