"""Another attempt at what a database may grant the next time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from pipeline.base.logs import log
from pipeline.errors import TransientError
from pipeline.translation import translated as _

T = TypeVar("T")


def _tell(state: tenacity.RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0
    log.warning(_("%s; trying again in %.0f s"), failure, pause)


def with_retries(action: Callable[[], T]) -> T:
    """Call `action`, up to four times while it raises TransientError, with growing pauses.

    Every action is safe to repeat: a load whose commit was sent and whose answer
    was lost is recognised by its row in etl.corrida.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=tenacity.wait_exponential(multiplier=1, max=8),
        stop=tenacity.stop_after_attempt(4),
        before_sleep=_tell,
        reraise=True,
    )
    return retrying(action)
