"""The log: one line a failure, unless the level is DEBUG; as text, or as JSON for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import luigi.interface
from luigi.parameter import ParameterException
from luigi.rpc import RPCError
from luigi.setup_logging import InterfaceLogging

from pipeline.errors import PipelineError, SettingsError
from pipeline.settings import load_log_format, shops
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.state.window import Window

# What all of ours is written to: below the logger that Luigi sets up.
_LUIGI = "luigi-interface"
log = logging.getLogger(f"{_LUIGI}.pipeline")

_TRACEBACK = "Traceback (most recent call last)"
_NO_ANSWER = "Failed connecting to remote scheduler %r"
_OURS = "pipeline.errors."
# What a record may know beside its message, and a JSON line has as fields.
_FIELDS = ("shop", "run_id", "window", "step", "rows", "seconds")


def fields(
    step: str,
    window: Window,
    run_id: str,
    *,
    rows: int | None = None,
    seconds: float | None = None,
    detail: bool = False,
) -> dict[str, Any]:
    """The `extra` of a line that tells of one step of one run.

    A `detail` is for machines, and for whoever looks for a fault.
    """
    known: dict[str, Any] = {"step": step, "window": window.label, "run_id": run_id}
    known["detail"] = detail
    if rows is not None:
        known["rows"] = rows
    if seconds is not None:
        known["seconds"] = seconds
    return known


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the fields it knows."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, whatever its message holds."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        line |= {
            name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TimedLines(logging.Formatter):
    """A line begins with when it was written, in the shop's zone, and with its level."""

    def __init__(self, zone: str) -> None:
        super().__init__("%(asctime)s %(levelname)s: %(message)s")
        self._zone = ZoneInfo(zone)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Its time to the second, with the offset."""
        return datetime.fromtimestamp(record.created, self._zone).isoformat(" ", "seconds")


# What Luigi says at a level where its progress is, though it is none: a task that is gone, and the
# end of a round in which something was not done though nothing failed.
_NO_PROGRESS = ("died unexpectedly", "timed out after", "This progress looks :|")


class News(logging.Filter):
    """Lets pass what a person wants to read of a run: Luigi's own progress is none of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        luigis = logging.getLogger("luigi-interface")
        if record.levelno > logging.INFO or luigis.isEnabledFor(logging.DEBUG):
            return True
        if record.name == luigis.name:
            said = record.getMessage()
            return any(words in said for words in _NO_PROGRESS)
        return not getattr(record, "detail", False)


class OneLineFailures(logging.Filter):
    """Cuts the traceback from Luigi's records of our own failures.

    A failure that is not of our tree is a defect: its traceback stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, shortened where it can be."""
        _note_task(record)
        if logging.getLogger("luigi-interface").isEnabledFor(logging.DEBUG):
            return True
        failure = record.exc_info[1] if record.exc_info else None
        if isinstance(failure, PipelineError | ParameterException):
            _end_with(record, f": {failure}")
        elif isinstance(failure, OSError) and failure.filename:
            # Nor is what the machine does not let it do with a file.
            _end_with(record, f": {failure.filename}: {failure.strerror}")
        elif isinstance(failure, RPCError):
            _end_with(
                record,
                _(": {failure}; start luigid, or run with --local-scheduler").format(
                    failure=failure
                ),
            )
        elif record.msg == _NO_ANSWER:
            # Luigi says the same of each attempt, and its last is the failure above.
            _end_with(record, "")
        elif _TRACEBACK in record.getMessage():
            _shorten(record)
        return True


def _end_with(record: logging.LogRecord, end: str) -> None:
    """In the place of the traceback."""
    record.msg = record.getMessage().strip() + end
    record.args = ()
    record.exc_info = None
    record.exc_text = None


def _note_task(record: logging.LogRecord) -> None:
    """Luigi's lines on a task of ours know its window and step."""
    arguments: tuple[Any, ...] = record.args if isinstance(record.args, tuple) else ()
    for argument in arguments:
        label = getattr(argument, "window_label", None)
        if label is not None:
            record.window, record.step = label, argument.task_family


def _shorten(record: logging.LogRecord) -> None:
    """Luigi puts the traceback of requires() and complete() into the message itself."""
    head, _, rest = record.getMessage().partition(_TRACEBACK)
    ours = [line for line in rest.splitlines() if line.startswith(_OURS)]
    if ours:
        record.msg = f"{head.strip()} {ours[-1].partition(': ')[2]}"
        record.args = ()


def level() -> str:
    """The level of Luigi's log, by name."""
    return logging.getLevelName(logging.getLogger("luigi-interface").level)


def begin(level: str) -> None:
    """Set Luigi's log up with that level, where this process has none: a worker that is not forked.

    A file of logging settings counts as it does for the parent.
    """
    settings = luigi.interface.core()
    settings.log_level = level
    InterfaceLogging.setup(settings)


def shorten_failures() -> None:
    """Attach the filter to Luigi's logger, once."""
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(known, OneLineFailures) for known in logger.filters):
        logger.addFilter(OneLineFailures())


def tell_shops_apart() -> None:
    """Have every record know whose turn it is, where there are many shops; its text begins so."""
    make = logging.getLogRecordFactory()
    as_text = not _as_json()

    def make_for_shop(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        if shop := shops.current():
            record.shop = shop
            if as_text and record.name.startswith(_LUIGI):
                record.msg = f"{shop}: {record.msg}"
        return record

    logging.setLogRecordFactory(make_for_shop)


def _as_json() -> bool:
    try:
        return load_log_format()[0] == "json"
    except SettingsError:
        return False


def use_log_format() -> None:
    """Write the log as ETL_LOG_FORMAT says; call it before Luigi sets its own up.

    As text, Luigi's handler begins its lines with their time, and leaves out its own progress.
    With json a handler of ours takes the place of Luigi's, for every logger and for
    Python's warnings. A malformed setting is told by load_settings().
    """
    try:
        log_format, zone = load_log_format()
    except SettingsError:
        log_format, zone = "text", "UTC"
    if log_format == "text":
        _write_text(zone)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.captureWarnings(True)
    logging.getLogger().addHandler(handler)

    def only_the_level(opts: Any) -> bool:
        logging.getLogger("luigi-interface").setLevel(getattr(logging, opts.log_level))
        return True

    # Luigi has no setting for the format alone; its own file of logging settings still wins.
    InterfaceLogging._default = only_the_level


def _write_text(zone: str) -> None:
    set_up = InterfaceLogging._default

    def timed(opts: Any) -> bool:
        done = bool(set_up(opts))
        for handler in logging.getLogger("luigi-interface").handlers:
            handler.setFormatter(TimedLines(zone))
            handler.addFilter(News())
        return done

    InterfaceLogging._default = timed
