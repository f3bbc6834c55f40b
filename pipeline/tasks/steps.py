"""The steps: ExtractWindow → LoadOLAP → RefreshViews → WriteMarker of a window; LoadHistory."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import luigi

from pipeline import olap
from pipeline.base import progress
from pipeline.base.database import sessions_lent
from pipeline.base.logs import fields, log
from pipeline.base.retry import with_retries
from pipeline.errors import PipelineError
from pipeline.run.backfill import backfill
from pipeline.run.due import forget_old_windows, predecessor, refuse_future
from pipeline.run.extract import extract_window
from pipeline.run.load import load_window
from pipeline.run.refresh import note_views, refresh_views, tell_views
from pipeline.settings.moments import parse_since
from pipeline.state import window as windows
from pipeline.state.request import Request, only_process, write_request
from pipeline.state.targets import DurableTarget
from pipeline.state.window import Window, whole_second
from pipeline.tasks.pipeline_task import PipelineTask, UtcSecondParameter
from pipeline.translation import translated as _


class _WindowTask(PipelineTask):
    """A step of one window."""

    desde = UtcSecondParameter(description="start of the window, inclusive, UTC")
    hasta = UtcSecondParameter(description="end of the window, exclusive, UTC")

    @property
    def window(self) -> Window:
        """The window that this step belongs to."""
        if self.hasta <= self.desde:
            raise PipelineError(
                _("--hasta {hasta} is not after --desde {desde}").format(
                    hasta=self.hasta.isoformat(), desde=self.desde.isoformat()
                )
            )
        return Window(self.desde, self.hasta)

    @property
    def window_label(self) -> str:
        """The window's name, for a log line or a notice, also when it is no window."""
        return Window(self.desde, self.hasta).label


class ExtractWindow(_WindowTask):
    """Reads from the OLTP what the OLAP does not have yet, into the window's files."""

    def requires(self) -> list[luigi.Task]:
        """An unfinished window before this one is finished first."""
        before = predecessor(self.settings.state_dir, self.window)
        return [WriteMarker(desde=before.desde, hasta=before.hasta)] if before else []

    def output(self) -> DurableTarget:
        """The receipt, written after the files that it describes."""
        return DurableTarget(str(windows.extract_receipt(self.settings.state_dir, self.window)))

    def run(self) -> None:
        """Persist the bounds, then read."""
        refuse_future("hasta", self.window.hasta)
        with progress.of(self), only_process(self.settings, self.window):
            if not windows.request_file(self.settings.state_dir, self.window).exists():
                write_request(self.settings, self.window, Request())
            if not self.complete():
                with_retries(lambda: extract_window(self.settings, self.window))


def accept_source_parameter() -> luigi.Parameter:
    """What lets through, once, a load that a guard held because of what it removes or replaces."""
    return luigi.Parameter(
        default="",
        significant=False,
        description="let a load of this OLTP (as the guard named it) pass once",
    )


def accept_adjustments_parameter() -> luigi.BoolParameter:
    """What lets through, once, a load that a guard held because of what it would book."""
    return luigi.BoolParameter(
        significant=False,
        description="let one load book what makes the stock the shop's own (as the guard named it)",
    )


class _LoadingTask(_WindowTask):
    """A step that loads the window, or comes after: what is accepted is so for this run alone."""

    accept_source = accept_source_parameter()
    accept_adjustments = accept_adjustments_parameter()


class LoadOLAP(_LoadingTask):
    """Loads and values the extract, in one transaction with its control row."""

    def requires(self) -> ExtractWindow:
        """The extract."""
        return ExtractWindow(desde=self.desde, hasta=self.hasta)

    def output(self) -> DurableTarget:
        """The receipt; the truth is etl.corrida."""
        return DurableTarget(str(windows.load_receipt(self.settings.state_dir, self.window)))

    def run(self) -> None:
        """Load, then write down what became of it."""
        with progress.of(self), only_process(self.settings, self.window):
            if not self.complete():
                accepted = olap.Accepted(self.accept_source, self.accept_adjustments)
                receipt = with_retries(lambda: load_window(self.settings, self.window, accepted))
                self.output().write_receipt(receipt)


class RefreshViews(_LoadingTask):
    """Refreshes the materialized views that the shop added: ours are plain ones."""

    def requires(self) -> luigi.Task:
        """The load."""
        return self.clone(LoadOLAP)

    def output(self) -> DurableTarget:
        """Which views were refreshed, how, and in how many seconds."""
        return DurableTarget(str(windows.views_receipt(self.settings.state_dir, self.window)))

    @sessions_lent()
    def run(self) -> None:
        """Refresh them; one that fails is told of, and stops nothing."""
        loaded = self.input().read_receipt()
        superseded, run_id = loaded.get("superseded", False), loaded.get("run_id", "")
        started = time.monotonic()
        with progress.of(self):
            views = [] if superseded else with_retries(lambda: refresh_views(self.settings))
        seconds = round(time.monotonic() - started, 3)
        tell_views(views)
        if not superseded:
            with_retries(lambda: note_views(self.settings, self.window, seconds))
        if views:
            refreshed = sum(not view["error"] for view in views)
            log.info(
                _("%s: refreshed %d of %d views in %.2f s, run %s"),
                self.window,
                refreshed,
                len(views),
                seconds,
                run_id,
                extra=fields("RefreshViews", self.window, run_id, rows=refreshed, seconds=seconds),
            )
        self.output().write_receipt(
            {
                "window": self.window.label,
                "run_id": run_id,
                "superseded": superseded,
                "views": views,
                "seconds": seconds,
            }
        )


class WriteMarker(_LoadingTask):
    """Marks the window as done; the newest marker acts as last_run."""

    def requires(self) -> luigi.Task:
        """The refreshed views."""
        return self.clone(RefreshViews)

    def output(self) -> DurableTarget:
        """The marker."""
        return DurableTarget(str(windows.marker(self.settings.state_dir, self.window)))

    def run(self) -> None:
        """Write the marker, then let old windows go."""
        receipt = self.input().read_receipt()
        run_id = receipt.get("run_id", "")
        self.output().write_receipt(
            {
                "window": self.window.label,
                "run_id": run_id,
                "last_run": self.window.hasta.isoformat(),
                "superseded": receipt.get("superseded", False),
                "written": datetime.now(UTC).isoformat(),
            }
        )
        log.info(
            _("%s: done, run %s"),
            self.window,
            run_id,
            extra=fields("WriteMarker", self.window, run_id, detail=True),
        )
        forget_old_windows(self.settings, self.window)


class LoadHistory(PipelineTask):
    """Loads earlier history, and refreshes the views."""

    since = luigi.Parameter(description="the new initial date, in ETL_TIMEZONE")
    accept_source = accept_source_parameter()

    @property
    def _since(self) -> datetime:
        return whole_second(parse_since(self.since, self.settings.timezone))

    def _is_done(self) -> bool:
        """Whether the OLAP's scope begins there already: the truth, not a receipt."""
        initial = olap.initial_date(with_retries(lambda: olap.read_control(self.settings)))
        return initial is not None and initial <= self._since

    def run(self) -> None:
        """Read the pieces, merge them, refresh the views."""
        backfill(self.settings, self._since, self.accept_source)
