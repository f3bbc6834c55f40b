"""PublishReport: the last step of a run and of a Backfill, where ETL_REPORT_PATH is set."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

import luigi

from pipeline import olap
from pipeline.base.logs import log
from pipeline.base.retry import with_retries
from pipeline.errors import PipelineError
from pipeline.report.publish import build_page, publish_all, published_until
from pipeline.state import window as windows
from pipeline.state.process_lock import hold_lock
from pipeline.state.targets import make_private_folder
from pipeline.state.window import Window
from pipeline.tasks.pipeline_task import PipelineTask
from pipeline.tasks.steps import LoadHistory, WriteMarker
from pipeline.translation import translated as _


class PublishReport(PipelineTask):
    """Writes the report to ETL_REPORT_PATH, after what it waits for is marked or merged."""

    publishes = True

    after = luigi.Parameter(
        default="",
        description="name of the window that it waits for; by default what is loaded is published",
    )

    since = luigi.Parameter(
        default="", description="initial date of the Backfill that it waits for; by default none"
    )

    @property
    def window(self) -> Window | None:
        """The window that it waits for, if any."""
        if not self.after:
            return None
        window = windows.parse_label(self.after)
        if window is None:
            raise PipelineError(
                _("--after is '{after}', but must be the name of a window").format(after=self.after)
            )
        return window

    @property
    def window_label(self) -> str | None:
        """The window's name, or what stands in its place, for a notice."""
        return self.after or (
            _("history since {since}").format(since=self.since) if self.since else None
        )

    @cached_property
    def _last_run(self) -> datetime | None:
        # Kept: another run may load while this one publishes, and publishes after it.
        return olap.last_run(with_retries(lambda: olap.read_control(self.settings)))

    @cached_property
    def _page_before(self) -> tuple[int, int] | None:
        # Kept, also for the processes that Luigi forks from the one that asks first.
        return self._page

    @property
    def _page(self) -> tuple[int, int] | None:
        """What tells one page that was published from another, whatever the clocks say."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def requires(self) -> list[luigi.Task]:
        """The marker or the merge: what fails here has lost nothing, and the next run publishes."""
        if self.since:
            return [LoadHistory(since=self.since)]
        window = self.window
        return [WriteMarker(desde=window.desde, hasta=window.hasta)] if window else []

    def _is_done(self) -> bool:
        """Whether the page shows what is loaded. A missing page, or one of no report, does not.

        After a window it does if it reaches the window's end or was written after its marker:
        a window that was superseded has loaded nothing, and its end may never be reached.
        After a Backfill, which moves no end, it does if it is another page than at the start.
        """
        if self.since:
            before = self._page_before
            return self._page not in (None, before)
        published = published_until(self._path)
        window = self.window
        if published is None:
            return False
        if window is None:
            return self._last_run is None or published >= self._last_run
        marker = windows.marker(self.settings.state_dir, window)
        return marker.exists() and (
            published >= window.hasta or self._path.stat().st_mtime >= marker.stat().st_mtime
        )

    def run(self) -> None:
        """Read the views and put the page in place."""
        path, state = self._path, self.settings.state_dir
        make_private_folder(state)
        # The last to publish must be the last to have read.
        with hold_lock(state / ".report.lock"):
            publish_all(with_retries(lambda: build_page(self.settings, path)), path)
        log.info(_("report published to %s"), path, extra={"step": "PublishReport"})

    @property
    def _path(self) -> Path:
        if self.settings.report_path is None:
            raise PipelineError(_("ETL_REPORT_PATH is not set: give the file to publish to"))
        return self.settings.report_path
