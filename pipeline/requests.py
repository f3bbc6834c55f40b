"""What a window is asked for beyond the ordinary, persisted with its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline import window as windows
from pipeline.process_lock import hold_lock
from pipeline.targets import DurableTarget, make_private_folder

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.window import Window


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


@contextmanager
def only_process(settings: Settings, window: Window) -> Iterator[None]:
    """Let one process at a time work on the window's files; a killed one lets go."""
    folder = windows.folder(settings.state_dir, window)
    make_private_folder(folder)
    with hold_lock(folder / ".lock"):
        yield
