"""What a window is asked for beyond the ordinary, persisted with its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError, StateError
from pipeline.state import window as windows
from pipeline.state.process_lock import hold_lock
from pipeline.state.targets import DurableTarget, make_private_folder

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.window import Window


@dataclass(frozen=True)
class Request:
    """An ordinary window asks for none of this.

    `recheck` are ids that are looked up whatever their version is: one that is
    not found was deleted. `everything` makes the read a complete image. `rebuild`
    replays every product from its opening and sums the summaries anew.
    """

    recheck: tuple[int, ...] = ()
    everything: bool = False
    rebuild: bool = False

    @property
    def command(self) -> str:
        """What an operator types to ask for this."""
        if self.rebuild:
            return "python -m pipeline rebuild"
        if self.recheck or self.everything:
            return "python -m pipeline verify --repair"
        return "luigi --module pipeline RunDue --local-scheduler"


def write_request(settings: Settings, window: Window, request: Request) -> None:
    """Persist the bounds and what is asked, before the window starts."""
    target = DurableTarget(str(windows.request_file(settings.state_dir, window)))
    target.write_receipt(
        {
            "window": window.label,
            "asked": datetime.now(UTC).isoformat(),
            "recheck": list(request.recheck),
            "everything": request.everything,
            "rebuild": request.rebuild,
        }
    )


def read_request(settings: Settings, window: Window) -> Request:
    """What the window was asked for; the ordinary where nothing was written."""
    target = DurableTarget(str(windows.request_file(settings.state_dir, window)))
    if not target.exists():
        return Request()
    receipt = target.read_receipt()
    return Request(
        recheck=tuple(int(movement) for movement in receipt.get("recheck", ())),
        everything=bool(receipt.get("everything")),
        rebuild=bool(receipt.get("rebuild")),
    )


def withdraw_request(settings: Settings, window: Window) -> None:
    """Make the window an ordinary one; its folder still says what its bounds are."""
    windows.request_file(settings.state_dir, window).unlink(missing_ok=True)


def what_holds(settings: Settings, window: Window) -> str | None:
    """Why the last attempt at the window failed, in one line; None where none did."""
    target = DurableTarget(str(windows.held_note(settings.state_dir, window)))
    return str(target.read_receipt().get("cause")) if target.exists() else None


@contextmanager
def only_process(settings: Settings, window: Window) -> Iterator[None]:
    """Let one process at a time work on the window's files; a killed one lets go.

    What the body fails with is noted for what_holds(), until a body does not fail.
    """
    folder = windows.folder(settings.state_dir, window)
    make_private_folder(folder)
    with hold_lock(folder / ".lock"):
        note = DurableTarget(str(windows.held_note(settings.state_dir, window)))
        try:
            yield
        except PipelineError as failure:
            # A folder that cannot be written is the failure itself, or the smaller one.
            with suppress(StateError):
                note.write_receipt({"cause": str(failure), "noted": datetime.now(UTC).isoformat()})
            raise
        note.file.unlink(missing_ok=True)
