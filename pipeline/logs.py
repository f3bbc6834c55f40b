"""What a person reads of a failure: one line, unless the level is DEBUG."""

from __future__ import annotations

import logging

from luigi.parameter import ParameterException

from pipeline.errors import PipelineError

_TRACEBACK = "Traceback (most recent call last)"
_OURS = "pipeline.errors."


class OneLineFailures(logging.Filter):
    """Cuts the traceback from Luigi's records of our own failures.

    A failure that is not of our tree is a defect: its traceback stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, shortened where it can be."""
        if logging.getLogger("luigi-interface").isEnabledFor(logging.DEBUG):
            return True
        failure = record.exc_info[1] if record.exc_info else None
        if isinstance(failure, PipelineError | ParameterException):
            record.msg = f"{record.getMessage().strip()}: {failure}"
            record.args = ()
            record.exc_info = None
            record.exc_text = None
        elif _TRACEBACK in record.getMessage():
            _shorten(record)
        return True


def _shorten(record: logging.LogRecord) -> None:
    """Luigi puts the traceback of requires() and complete() into the message itself."""
    head, _, rest = record.getMessage().partition(_TRACEBACK)
    ours = [line for line in rest.splitlines() if line.startswith(_OURS)]
    if ours:
        record.msg = f"{head.strip()} {ours[-1].partition(': ')[2]}"
        record.args = ()


def shorten_failures() -> None:
    """Attach the filter to Luigi's logger, once."""
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(known, OneLineFailures) for known in logger.filters):
        logger.addFilter(OneLineFailures())
