"""What Luigi must do even where no luigi.cfg is found."""

from __future__ import annotations

import luigi.configuration

# A failed run must never exit with 0; the meaning of each code is in luigi.cfg.
RETCODES = {
    "already_running": "10",
    "missing_data": "20",
    "not_run": "25",
    "task_failed": "30",
    "scheduling_error": "35",
    "unhandled_exception": "40",
}


def apply_defaults() -> None:
    """Set the exit codes and no_lock where the configuration does not."""
    config = luigi.configuration.get_config()
    for name, code in RETCODES.items():
        if config.get("retcode", name, None) is None:
            config.set("retcode", name, code)
    # Two shops with the same command line would block each other.
    if config.get("core", "no_lock", None) is None:
        config.set("core", "no_lock", "true")
    if config.get("core", "log_level", None) is None:
        config.set("core", "log_level", "INFO")
