"""The OLAP: its control row, staging, and the functions that it is asked by."""

from pipeline.base.database import call
from pipeline.olap.control import (
    SCHEMA_VERSION,
    Control,
    accept_source,
    adopt,
    checked_control,
    initial_date,
    last_run,
    loaded_windows,
    metrics,
    moment,
    operation_state,
    options,
    pass_on,
    read_control,
    zone_rules,
)
from pipeline.olap.staging import (
    STAGED_MOVEMENTS,
    copy_file,
    copy_in,
    load_staged,
    open_window,
)

__all__ = [
    "SCHEMA_VERSION",
    "STAGED_MOVEMENTS",
    "Control",
    "accept_source",
    "adopt",
    "call",
    "checked_control",
    "copy_file",
    "copy_in",
    "initial_date",
    "last_run",
    "load_staged",
    "loaded_windows",
    "metrics",
    "moment",
    "open_window",
    "operation_state",
    "options",
    "pass_on",
    "read_control",
    "zone_rules",
]
