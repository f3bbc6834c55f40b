"""Every setting of a shop: the list of them, what may stand there, and how they are read."""

from pipeline.settings.loading import (
    Database,
    Notices,
    Reader,
    Settings,
    load_log_format,
    load_notices,
    load_settings,
    load_shop,
    read_dashboards_account,
    reader,
    state_of_all,
)

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
