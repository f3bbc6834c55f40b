"""Every setting of a shop: the list of them, what may stand there, and how they are read."""

from pipeline.settings.loading import (
    load_log_format,
    load_notices,
    load_settings,
    read_dashboards_account,
)
from pipeline.settings.reading import Reader, load_shop, reader, state_of_all
from pipeline.settings.shapes import Database, Notices, Settings

__all__ = [
    "Database",
    "Notices",
    "Reader",
    "Settings",
    "load_log_format",
    "load_notices",
    "load_settings",
    "load_shop",
    "read_dashboards_account",
    "reader",
    "state_of_all",
]
