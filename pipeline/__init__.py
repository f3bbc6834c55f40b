"""Carries a shop's stock movements to its analytical database, and values the inventory.

Importing the package makes the tasks known, so that `luigi --module pipeline RunDue` finds them.
Events, the log's format and Ctrl-C are seen to when the first task is made.
"""

import tempfile

try:
    tempfile.gettempdir()
except FileNotFoundError:
    # Every disk is full: Luigi asks for it when it is imported, and doctor could not say so.
    tempfile.tempdir = "/tmp"

from pipeline.base.interrupt import say_interrupted
from pipeline.base.logs import shorten_failures, tell_shops_apart, use_log_format
from pipeline.tasks.luigi_defaults import apply_defaults
from pipeline.tasks.pipeline_task import before_the_first
from pipeline.tasks.publish_report import PublishReport
from pipeline.tasks.run_due import Backfill, RunDue
from pipeline.tasks.run_shops import ROUND_ENDED, RunShop, RunShops, note_what_is_killed
from pipeline.tasks.steps import ExtractWindow, LoadHistory, LoadOLAP, RefreshViews, WriteMarker
from pipeline.telling import rounds
from pipeline.telling.after_run import listen, listen_to_rounds

__all__ = [
    "Backfill",
    "ExtractWindow",
    "LoadHistory",
    "LoadOLAP",
    "PublishReport",
    "RefreshViews",
    "RunDue",
    "RunShop",
    "RunShops",
    "WriteMarker",
]


def _attend() -> None:
    # Before its log is shortened, since it looks at the failures there.
    listen(
        RunDue,
        (ExtractWindow, LoadOLAP, RefreshViews, WriteMarker, PublishReport),
        (Backfill, LoadHistory),
        refreshing=(WriteMarker, LoadHistory),
    )
    note_what_is_killed()
    listen_to_rounds(RunShop, RunShops)
    rounds.listen(RunShops, RunShop, ROUND_ENDED)
    shorten_failures()
    use_log_format()
    tell_shops_apart()
    say_interrupted()


apply_defaults()
before_the_first(_attend)
