"""What the loads of windows counted, by their receipts, for what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import StateError
from pipeline.state import window as windows
from pipeline.state.targets import DurableTarget

if TYPE_CHECKING:
    from pipeline.settings import Notices
    from pipeline.state.window import Window


def counts_of(notices: Notices, window: Window) -> dict[str, Any]:
    """A window's counts; none where its receipt is gone with its folder, or is not whole."""
    try:
        loaded = DurableTarget(str(windows.load_receipt(notices.state_dir, window))).read_receipt()
    except StateError:
        return {}
    return dict(loaded["counts"])
