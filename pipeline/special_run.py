"""Runs a window that was asked for more than the ordinary: a repair or a rebuild."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import luigi

from pipeline import window as windows
from pipeline.due import windows_due
from pipeline.errors import PipelineError
from pipeline.requests import Request, write_request
from pipeline.tasks import RunDue
from pipeline.window import whole_second

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.window import Window


class RequestedRunError(PipelineError):
    """The run that was asked for has failed."""


class UnpublishedError(RequestedRunError):
    """The window that was asked for is done, but the report after it could not be published."""


def run_requested(settings: Settings, request: Request) -> Window:
    """Run the window from the last run up to now with `request`, after any unfinished one.

    Returns that window. Raises RequestedRunError when the run fails, UnpublishedError when only
    the report does; Luigi's log has said why, and Luigi's events have told it.
    """
    now = whole_second(datetime.now(UTC))
    window = windows_due(settings, now, wait=True)[-1]
    write_request(settings, window, request)
    result = luigi.build(
        [RunDue(as_of=window.hasta)], local_scheduler=True, detailed_summary=True, log_level="INFO"
    )
    if result.status in (luigi.LuigiStatusCode.SUCCESS, luigi.LuigiStatusCode.SUCCESS_WITH_RETRY):
        return window
    if windows.marker(settings.state_dir, window).exists():
        # Nothing but the report comes after the marker.
        raise UnpublishedError(
            f"{window} is done, but the report was not published, see above; the next run does it"
        )
    raise RequestedRunError(
        "the run failed, see above; nothing half done is kept, and the next run resumes it"
    )
