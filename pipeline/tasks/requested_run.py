"""Runs a window that was asked for more than the ordinary: a repair or a rebuild."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import luigi

from pipeline.errors import PipelineError
from pipeline.run.due import windows_due
from pipeline.state import window as windows
from pipeline.state.request import Request, read_request, write_request
from pipeline.state.window import whole_second
from pipeline.tasks.run_due import RunDue
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.window import Window


class RequestedRunError(PipelineError):
    """The run that was asked for has failed."""


class UnpublishedError(RequestedRunError):
    """The window that was asked for is done, but the report after it could not be published."""


def run_requested(settings: Settings, request: Request, accept_source: str = "") -> Window:
    """Run the window from the last run up to now with `request`, after any unfinished one.

    `accept_source` lets what the guard named pass once. Returns that window. Raises
    RequestedRunError when the run fails, UnpublishedError when only the report does; Luigi's log
    has said why, and Luigi's events have told it. Of a request that a guard refuses nothing is
    kept, nor of one whose turn does not come.
    """
    now = whole_second(datetime.now(UTC))
    *unfinished, window = windows_due(settings, now, wait=True)
    for earlier in unfinished:
        _run(earlier, accept_source)
        if not windows.marker(settings.state_dir, earlier).exists():
            raise RequestedRunError(
                _(
                    "the unfinished window {earlier} failed, see above, and this was not begun; "
                    "mend that, then give the command again"
                ).format(earlier=earlier)
            )
    write_request(settings, window, request)
    done = _run(window, accept_source)
    # Also where another run was held that had begun with the window meanwhile.
    if read_request(settings, window) != request:
        raise RequestedRunError(
            _(
                "a guard refused it, see above; nothing of it is kept, and the next run is an "
                "ordinary one"
            )
        )
    if done:
        return window
    if windows.marker(settings.state_dir, window).exists():
        # Nothing but the report comes after the marker.
        raise UnpublishedError(
            _(
                "{window} is done, but the report was not published, see above; the next run "
                "does it"
            ).format(window=window)
        )
    raise RequestedRunError(
        _("the run failed, see above; nothing half done is kept, and the next run resumes it")
    )


def _run(window: Window, accept_source: str) -> bool:
    run = RunDue(as_of=window.hasta, accept_source=accept_source)
    result = luigi.build([run], local_scheduler=True, detailed_summary=True, log_level="INFO")
    return result.status in (
        luigi.LuigiStatusCode.SUCCESS,
        luigi.LuigiStatusCode.SUCCESS_WITH_RETRY,
    )
