"""What all tasks share: the settings, failures in one line, and what is set up for the first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import luigi

from pipeline.base import logs
from pipeline.errors import PipelineError, SettingsError
from pipeline.settings import Settings, load_settings, load_shop, shops
from pipeline.settings.moments import parse_moment
from pipeline.state.window import whole_second
from pipeline.translation import translated as _

_to_begin: list[Callable[[], None]] = []


def before_the_first(action: Callable[[], None]) -> None:
    """Have `action` done before the first task is made: who only imports this runs nothing."""
    _to_begin.append(action)


def _begin() -> None:
    if _to_begin:
        _take_turn()
    while _to_begin:
        _to_begin.pop()()


def _take_turn() -> None:
    """Of many shops the one of ETL_SHOP, if that is set, for all that this process does."""
    # What is wrong with the settings is told by who needs them.
    with suppress(SettingsError):
        if shop := load_shop():
            shops.take_turn(shop)


class UtcSecondParameter(luigi.Parameter):  # type: ignore[misc]
    """A moment in whole UTC seconds: 2026-11-15T02:00:00Z; without an offset it is UTC."""

    def parse(self, text: str) -> datetime:
        """Read the command line's text."""
        _begin()
        try:
            return whole_second(parse_moment(text, "UTC"))
        except ValueError:
            raise luigi.parameter.ParameterException(
                _("'{text}' is no time: give it as 2026-11-15T02:00:00Z").format(text=text)
            ) from None

    def serialize(self, moment: datetime) -> str:
        """As the log and luigid's page show it."""
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class PipelineTask(luigi.Task):  # type: ignore[misc]
    """What all tasks share: the settings, and failures told in one line."""

    # Luigi tells its handlers of a failed complete() without the cause.
    failure: Exception | None = None
    # Whether it only shows what others loaded.
    publishes = False

    @classmethod
    def get_param_values(cls, *arguments: Any) -> Any:
        """What Luigi asks before a task is made: what is missing is told in one line, too."""
        _begin()
        return super().get_param_values(*arguments)

    def __getstate__(self) -> tuple[dict[str, Any], str]:
        """For a worker that is not forked, which knows nothing of the command line."""
        return self.__dict__, logs.level()

    def __setstate__(self, state: tuple[dict[str, Any], str]) -> None:
        """In such a worker it is the first, and Luigi has set no log up."""
        attributes, level = state
        _begin()
        logs.begin(level)
        self.__dict__.update(attributes)

    def complete(self) -> bool:
        """Whether it is done; what this raises is kept in `failure`."""
        try:
            return self._is_done()
        except Exception as failure:
            self.failure = failure
            raise

    def _is_done(self) -> bool:
        return bool(super().complete())

    def to_str_params(
        self, only_significant: bool = False, only_public: bool = False
    ) -> dict[str, str]:
        """With the shop that it is of, where there are many: tasks of two are two for luigid."""
        told: dict[str, str] = super().to_str_params(only_significant, only_public)
        return {"shop": shop} | told if (shop := shops.current()) else told

    @property
    def settings(self) -> Settings:
        return load_settings()

    def on_failure(self, exception: BaseException) -> str:
        """What luigid's page and e-mails say of a failure."""
        if isinstance(exception, PipelineError):
            return str(exception)
        return str(super().on_failure(exception))
