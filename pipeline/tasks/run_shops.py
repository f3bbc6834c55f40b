"""Many shops: RunShops, which has the scheduler run each of them as one task, RunShop."""

from __future__ import annotations

import gc
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import luigi
import luigi.worker
from luigi import Event
from luigi.interface import core

from pipeline.errors import PipelineError, SettingsError
from pipeline.settings import load_notices, load_settings, shops, state_of_all
from pipeline.state import round as rounds
from pipeline.state.round import Note
from pipeline.tasks.pipeline_task import PipelineTask, UtcSecondParameter
from pipeline.tasks.shop_chain import run_chain
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings

# Told to who listens for it, with the task and why shops failed, by name.
ROUND_ENDED = "event.pipeline.round.ended"
# What the command line says of the scheduler, for the shops as for the round.
_SCHEDULER = (
    *("local_scheduler", "scheduler_host", "scheduler_port", "scheduler_url"),
    *("workers", "log_level"),
)
# A round is its process's own: two machines share its shops, and neither is refused its round.
_HERE = f"{platform.node()}-{os.getpid()}"
_NAMED = 20  # failed shops in one line


def _may_fork() -> None:
    """Luigi forks under a lock, held for ever in the child: but a round has workers of its own.

    Nothing else waits for it there: the thread that it is for is the parent's.
    """
    luigi.worker.fork_lock = threading.Lock()


os.register_at_fork(after_in_child=_may_fork)


def this_minute() -> datetime:
    """Up to when a round goes: machines that begin in one minute mean the same tasks."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


class ShopsFailedError(PipelineError):
    """At least one shop of a round has failed."""


class RunShop(PipelineTask):
    """Runs what is due of one shop of ETL_SHOPS_DIR: all its steps, in this process."""

    shop = luigi.Parameter(description="the name of its file, without .env")
    as_of = UtcSecondParameter(description="run up to this moment, UTC")
    # Why it may not run, if RunShops has found that out.
    refused: str | None = None

    def complete(self) -> bool:
        """Whether this machine has carried it so far: asks nobody, and raises nothing."""
        try:
            note = rounds.read_note(state_of_all(), self.shop)
        except PipelineError:
            return False
        if note is None or note.failure is not None:
            return False
        # One of a time to come was written by a clock that was ahead: it ends no round until then.
        return note.as_of == self.as_of or self.as_of < note.as_of <= datetime.now(UTC)

    def run(self) -> None:
        """Carry the shop, and note what became of it, whatever that is."""
        try:
            with shops.in_shop(self.shop):
                run_chain(self.as_of, self.refused)
        except BaseException as failure:
            # Where not even that can be noted, why it failed is what is told.
            with suppress(PipelineError, OSError):
                self.note(self.on_failure(failure))
            raise
        self.note(None)

    def note(self, failure: str | None) -> None:
        """Write down that it ended now, and why it failed if it did."""
        note = Note(self.as_of, datetime.now(UTC), failure)
        rounds.write_note(state_of_all(), self.shop, note)

    def on_failure(self, exception: BaseException) -> str:
        """What luigid's page says: of a defect its kind alone; others look there, too."""
        if isinstance(exception, PipelineError):
            return str(exception)
        return _untold(type(exception).__name__)


def _untold(kind: str) -> str:
    return _("{kind}: see the log of {machine}").format(kind=kind, machine=platform.node())


def _note_killed(task: RunShop, cause: str) -> None:
    """In the parent: a process that was killed could not say so; one that was just done has."""
    if not task.complete():
        task.note(str(cause))


def note_what_is_killed() -> None:
    """Have Luigi call _note_killed()."""
    for event in (Event.PROCESS_FAILURE, Event.TIMEOUT):
        RunShop.event_handler(event)(_note_killed)


class RunShops(PipelineTask):
    """Runs every shop of ETL_SHOPS_DIR: one that fails stops no other, and this exits with 30."""

    only = luigi.Parameter(default="", description="names of shops, separated by commas")
    as_of = UtcSecondParameter(
        default=this_minute(), description="run up to this moment, UTC; by default this minute"
    )
    # A limit to how long a shop may take is none for all of them.
    worker_timeout = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # A worker that is not forked knows nothing of the command line.
        said = core()
        self._scheduler = {name: getattr(said, name) for name in _SCHEDULER}

    def to_str_params(
        self, only_significant: bool = False, only_public: bool = False
    ) -> dict[str, str]:
        """With the process that it is."""
        told: dict[str, str] = super().to_str_params(only_significant, only_public)
        return told | {"process": _HERE}

    @cached_property
    def _refused(self) -> dict[str, str | None]:
        """Each shop, or file that names none, and why it may not run; raises PipelineError."""
        listed = shops.listed()
        asked = [name.strip() for name in self.only.split(",") if name.strip()]
        for name in asked:
            if name not in listed:
                shops.file_of(name)
        shared = dict(_sharing(self._settings_of_all))
        return {
            name: fault or shared.get(name)
            for name, fault in listed.items()
            if not asked or name in asked
        }

    @cached_property
    def _settings_of_all(self) -> dict[str, Settings]:
        """By shop; of one that has a fault there none, since it fails by itself."""
        found = {}
        for name in shops.names():
            with suppress(PipelineError), shops.in_shop(name):
                found[name] = load_settings()
        return found

    def _is_done(self) -> bool:
        """Never before it ran: no shop is asked for it."""
        with shops.in_shop(""):
            return not self._refused

    def run(self) -> None:
        """Have the scheduler run the shops, then say what became of them.

        That is of what they noted, not of Luigi's summary, in which a shop that another machine
        ran counts as not run; of one that failed here and could not note it, Luigi's history.
        """
        with shops.in_shop(""):
            # What an earlier round of this process left is circles, which Python would keep long.
            gc.collect()
            since = datetime.now(UTC)
            tasks = list(self._tasks())
            done = luigi.build(tasks, detailed_summary=True, **self._scheduler)
            last = {task: status for task, status, _runnable in done.worker._add_task_history}
            failed = {name: fault for name, fault in self._refused.items() if fault}
            for task in tasks:
                note = rounds.read_note(state_of_all(), task.shop)
                if note is not None and note.ended >= since:
                    if note.failure is not None:
                        failed[task.shop] = note.failure
                elif last.get(task) == "FAILED":
                    # Here, and not even that could be noted: no room, or a folder of another's.
                    failed.setdefault(task.shop, _untold("RunShop"))
            self.trigger_event(ROUND_ENDED, self, failed)
            if failed:
                raise ShopsFailedError(_in_words(failed, len(self._refused)))

    def _tasks(self) -> Iterator[RunShop]:
        for name, fault in self._refused.items():
            # A file that names no shop is told of, and nothing more.
            if name.endswith(".env"):
                continue
            task = RunShop(shop=name, as_of=self.as_of)
            task.refused = fault
            # It never runs twice at once; and one of its database server's, if its file names that.
            task.resources = {f"shop-{name}": 1}
            if name in self._settings_of_all and (named := self._settings_of_all[name].resource):
                task.resources[named] = 1
            yield task


def _sharing(of_all: dict[str, Settings]) -> Iterator[tuple[str, str]]:
    """The shops that have in common what each must have for itself, and a line on it."""
    claimed: dict[tuple[str, object], str] = dict.fromkeys(_of_the_round(), "")
    for name, settings in of_all.items():
        for setting, value in _own(settings):
            first = claimed.setdefault((setting, value), name)
            if not first:
                yield (
                    name,
                    _(
                        "{shop}.env names the {setting} of the whole round: it is not run until it "
                        "has its own"
                    ).format(shop=name, setting=setting),
                )
            elif first != name:
                line = _(
                    "{one}.env and {other}.env have one {setting}: neither is run until each has "
                    "its own"
                ).format(one=first, other=name, setting=setting)
                yield from ((first, line), (name, line))


def _of_the_round() -> Iterator[tuple[str, object]]:
    yield "ETL_STATE_DIR", os.path.realpath(state_of_all())
    file = None
    # What is wrong with who is told keeps no shop from its run.
    with suppress(SettingsError), shops.in_shop(""):
        file = load_notices().metrics_file
    if file is not None:
        yield "ETL_METRICS_FILE", os.path.realpath(file)


def _own(settings: Settings) -> Iterator[tuple[str, object]]:
    yield "OLAP_DB_NAME", (settings.olap.host, settings.olap.port, settings.olap.name)
    yield "ETL_STATE_DIR", os.path.realpath(settings.state_dir)
    for setting, path in (
        ("ETL_REPORT_PATH", settings.report_path),
        ("ETL_METRICS_FILE", settings.notices.metrics_file),
    ):
        if path is not None:
            yield setting, os.path.realpath(path)


def _in_words(failed: dict[str, str], of: int) -> str:
    causes = [f"{shop}: {cause}" for shop, cause in list(failed.items())[:_NAMED]]
    more = ["…"] if len(failed) > _NAMED else []
    return _("{failed} of {shops} shops failed: {causes}").format(
        failed=len(failed), shops=of, causes="; ".join(causes + more)
    )
