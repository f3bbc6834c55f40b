"""A module for luigi --module: the pipeline's tasks, and a note of how long each of them took."""

from __future__ import annotations

import os
from pathlib import Path

import luigi

import pipeline

__all__ = ["pipeline"]


@luigi.Task.event_handler(luigi.Event.PROCESSING_TIME)
def note(task: luigi.Task, seconds: float) -> None:
    """One line for each task that ran, in the file that BENCH_STEPS names."""
    with Path(os.environ["BENCH_STEPS"]).open("a") as file:
        file.write(f"{task.task_family} {seconds}\n")
