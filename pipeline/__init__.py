"""Carries a shop's sales and receipts to its analytical database, and values the inventory.

Importing the package registers the tasks, so that `luigi --module pipeline RunDue`
finds them.
"""

from pipeline.after_run import listen
from pipeline.interrupt import say_interrupted
from pipeline.logs import shorten_failures, use_log_format
from pipeline.luigi_defaults import apply_defaults
from pipeline.report.task import PublishReport
from pipeline.steps import ExtractWindow, LoadHistory, LoadOLAP, RefreshViews, WriteMarker
from pipeline.tasks import Backfill, RunDue

__all__ = [
    "Backfill",
    "ExtractWindow",
    "LoadHistory",
    "LoadOLAP",
    "PublishReport",
    "RefreshViews",
    "RunDue",
    "WriteMarker",
]

apply_defaults()
# Before its log is shortened, since it looks at the failures there.
listen(
    RunDue,
    (ExtractWindow, LoadOLAP, RefreshViews, WriteMarker, PublishReport),
    (Backfill, LoadHistory),
    refreshing=(WriteMarker, LoadHistory),
)
shorten_failures()
use_log_format()
say_interrupted()
