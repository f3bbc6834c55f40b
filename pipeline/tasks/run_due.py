"""What an operator asks for: RunDue, whose windows' steps it requires, and Backfill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import luigi

from pipeline.base.retry import with_retries
from pipeline.run.due import windows_due
from pipeline.state.window import Window, load_receipt, whole_second
from pipeline.tasks.pipeline_task import PipelineTask, UtcSecondParameter
from pipeline.tasks.publish_report import PublishReport
from pipeline.tasks.steps import (
    LoadHistory,
    WriteMarker,
    accept_adjustments_parameter,
    accept_source_parameter,
)

_STARTED = whole_second(datetime.now(UTC))


class RunDue(PipelineTask, luigi.WrapperTask):  # type: ignore[misc]
    """Runs what is due: an unfinished window first, then from the last run up to `as_of`."""

    as_of = UtcSecondParameter(
        default=_STARTED, description="run up to this moment, UTC; by default now"
    )

    accept_source = accept_source_parameter()
    accept_adjustments = accept_adjustments_parameter()

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The windows that are due."""
        # Evaluated once and kept: Luigi asks requires() again and again, and what
        # is due must not move while the windows run.
        return with_retries(
            lambda: windows_due(self.settings, self.as_of, wait=self.as_of is _STARTED)
        )

    @cached_property
    def _accepting(self) -> Window | None:
        """The window whose load may do what was accepted: the first that has yet to be loaded."""
        state = self.settings.state_dir
        return next((w for w in self.windows if not load_receipt(state, w).exists()), None)

    def requires(self) -> Iterable[Any]:
        """The last step of each window that is due, and the report where one is published."""
        steps: list[luigi.Task] = [self._marker(window) for window in self.windows]
        if self.settings.report_path is not None:
            steps.append(PublishReport(after=self.windows[-1].label if self.windows else ""))
        return steps

    def _marker(self, window: Window) -> WriteMarker:
        if window != self._accepting:
            return WriteMarker(desde=window.desde, hasta=window.hasta)
        return WriteMarker(
            desde=window.desde,
            hasta=window.hasta,
            accept_source=self.accept_source,
            accept_adjustments=self.accept_adjustments,
        )


class Backfill(PipelineTask, luigi.WrapperTask):  # type: ignore[misc]
    """Brings earlier history in, and revalues forward; `--since 2020-01-01`."""

    since = luigi.Parameter(description="the new initial date, in ETL_TIMEZONE")
    accept_source = accept_source_parameter()

    def requires(self) -> list[luigi.Task]:
        """The history, and the report where one is published."""
        history = LoadHistory(since=self.since, accept_source=self.accept_source)
        if self.settings.report_path is None:
            return [history]
        return [history, PublishReport(since=self.since)]
