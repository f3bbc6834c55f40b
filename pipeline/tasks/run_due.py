"""What an operator asks for: RunDue, whose windows' steps it requires, and Backfill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import luigi

from pipeline import olap
from pipeline.base.retry import with_retries
from pipeline.run.due import windows_due
from pipeline.state.window import Window, whole_second
from pipeline.tasks.pipeline_task import PipelineTask, UtcSecondParameter
from pipeline.tasks.publish_report import PublishReport
from pipeline.tasks.steps import LoadHistory, WriteMarker, accept_source_parameter

_STARTED = whole_second(datetime.now(UTC))


class RunDue(PipelineTask, luigi.WrapperTask):  # type: ignore[misc]
    """Runs what is due: an unfinished window first, then from the last run up to `as_of`."""

    as_of = UtcSecondParameter(
        default=_STARTED, description="run up to this moment, UTC; by default now"
    )

    accept_source = accept_source_parameter()
    accept_adjustments = luigi.BoolParameter(
        significant=False,
        description="let one load book what makes the stock the shop's own (as the guard named it)",
    )

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The windows that are due."""
        # Evaluated once and kept: Luigi asks requires() again and again, and what
        # is due must not move while the windows run.
        if self.accept_source:
            with_retries(lambda: olap.accept_source(self.settings, self.accept_source))
        due = with_retries(
            lambda: windows_due(self.settings, self.as_of, wait=self.as_of is _STARTED)
        )
        # Not for a load that some later run does.
        if self.accept_adjustments and due:
            with_retries(lambda: olap.accept_adjustments(self.settings))
        return due

    def requires(self) -> Iterable[Any]:
        """The last step of each window that is due, and the report where one is published."""
        steps: list[luigi.Task] = [
            WriteMarker(desde=window.desde, hasta=window.hasta) for window in self.windows
        ]
        if self.settings.report_path is not None:
            steps.append(PublishReport(after=self.windows[-1].label if self.windows else ""))
        return steps


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
