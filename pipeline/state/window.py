"""A run's window, and where its targets are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import StateError
from pipeline.translation import translated as _

_STAMP = "%Y%m%dT%H%M%SZ"


def stamp(moment: datetime) -> str:
    """A moment (UTC) as the names of folders have it: 20261115T020000Z."""
    # strftime does not pad the years before 1000, and strptime wants four digits.
    return f"{moment.year:04}{moment:%m%dT%H%M%SZ}"


@dataclass(frozen=True, order=True)
class Window:
    """`[desde, hasta)` in whole UTC seconds: the label of one run."""

    desde: datetime
    hasta: datetime

    @property
    def label(self) -> str:
        """The window's name and folder: 20261115T020000Z--20261122T020000Z."""
        return f"{stamp(self.desde)}--{stamp(self.hasta)}"

    def __str__(self) -> str:
        return self.label


def parse_label(label: str) -> Window | None:
    """The window that a folder's name stands for, or None when it is not such a name."""
    bounds = label.split("--")
    if len(bounds) != 2:
        return None
    try:
        desde, hasta = (datetime.strptime(bound, _STAMP).replace(tzinfo=UTC) for bound in bounds)
    except ValueError:
        return None
    window = Window(desde, hasta)
    return window if window.label == label else None


def whole_second(moment: datetime) -> datetime:
    """The moment in UTC, without its fraction of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def folder(state: Path, window: Window) -> Path:
    """Where everything of one window is."""
    return state / window.label


def request_file(state: Path, window: Window) -> Path:
    """Written before the window starts, so that a failed run resumes with its bounds."""
    return folder(state, window) / "window.json"


def held_note(state: Path, window: Window) -> Path:
    """Why the last attempt at the window failed; gone once it is loaded."""
    return folder(state, window) / "held.json"


def extract_receipt(state: Path, window: Window) -> Path:
    """ExtractWindow's target, written after the files that it describes."""
    return folder(state, window) / "extract.json"


def load_receipt(state: Path, window: Window) -> Path:
    """LoadOLAP's target."""
    return folder(state, window) / "load.json"


def views_receipt(state: Path, window: Window) -> Path:
    """RefreshViews' target."""
    return folder(state, window) / "views.json"


def marker(state: Path, window: Window) -> Path:
    """WriteMarker's target; the newest one acts as last_run."""
    return folder(state, window) / "marker.json"


def is_done(state: Path, window: Window) -> bool:
    """Whether the window has its marker; StateError where this account may not look for it."""
    try:
        return marker(state, window).exists()
    except PermissionError as error:
        raise _not_ours(folder(state, window)) from error


def windows_named(state: Path) -> Iterator[Window]:
    """The windows that have a folder by their names alone; none where there is no state folder.

    Raises StateError where this account may not look into it.
    """
    try:
        with suppress(FileNotFoundError):
            yield from filter(None, (parse_label(entry.name) for entry in os.scandir(state)))
    except PermissionError as error:
        raise _not_ours(state) from error


def windows_in(state: Path) -> list[Window]:
    """The windows that have a folder, oldest first; other names are passed over.

    Raises StateError where this account may not look into the state folder, or into a window's.
    """
    try:
        if not state.is_dir():
            return []
        found = (parse_label(entry.name) for entry in state.iterdir() if entry.is_dir())
        windows = sorted(window for window in found if window is not None)
    except PermissionError as error:
        raise _not_ours(state) from error
    for window in windows:
        place = folder(state, window)
        # Another process may have removed it meanwhile, or renamed it.
        if not os.access(place, os.R_OK | os.X_OK) and place.exists():
            raise _not_ours(place)
    return windows


def _not_ours(path: Path) -> StateError:
    return StateError(
        _(
            "{path} may not be read by this account (did another one run here?): give it "
            "to the account that cron runs as (chown -R), or set ETL_STATE_DIR to another "
            "folder"
        ).format(path=path)
    )
