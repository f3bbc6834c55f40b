"""One shop's run by its targets, in this process: the steps as Luigi runs them, but unasked."""

from __future__ import annotations

from datetime import datetime

import luigi
from luigi import Event
from luigi.task_register import Register

from pipeline.base.database import sessions_lent
from pipeline.errors import SettingsError
from pipeline.run.news import passed_on
from pipeline.settings import load_settings
from pipeline.tasks.run_due import RunDue


@sessions_lent()
def run_chain(as_of: datetime, refused: str | None = None) -> None:
    """Carry the shop whose turn it is up to `as_of`; what follows a run is told as ever.

    Raises what a step raises, once it was told, and SettingsError with what `refused` says. A shop
    with nothing new is only moved on: whether it has is asked once, so that a server that is gone
    costs one time-out.
    """
    # What Luigi keeps of an earlier shop's tasks is of equal parameters, perhaps.
    Register.clear_instance_cache()
    run = RunDue(as_of=as_of)
    way: list[luigi.Task] = [run]
    try:
        if refused:
            raise SettingsError(refused)
        if passed_on(load_settings(), as_of):
            run.windows = ()
        for step in run.requires():
            _carry_out(step, way)
    except Exception as failure:
        way[-1].trigger_event(Event.FAILURE, way[-1], failure)
        raise
    finally:
        Register.clear_instance_cache()
    run.trigger_event(Event.SUCCESS, run)


def _carry_out(task: luigi.Task, way: list[luigi.Task]) -> None:
    """Run a task after what it requires, unless it is done; `way` leads to what is under way."""
    way.append(task)
    if not task.complete():
        for needed in luigi.task.flatten(task.requires()):
            _carry_out(needed, way)
        task.run()
        task.trigger_event(Event.SUCCESS, task)
    way.pop()
