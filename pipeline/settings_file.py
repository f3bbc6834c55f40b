"""The file that the settings are read from, and what in it would be passed over in silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pipeline.errors import SettingsError

# python-decouple's order: where both are in a folder, it never looks at .env.
_FILES = ("settings.ini", ".env")
_LIKE = 0.9  # of the letters: one or two left out, doubled or exchanged


def settings_file() -> Path | None:
    """The file that python-decouple reads: the first above the working directory, or None."""
    here = Path.cwd()
    places = (folder / name for folder in (here, *here.parents) for name in _FILES)
    return next((place for place in places if place.is_file()), None)


def refuse_misspelt(known: set[str]) -> None:
    """Raise SettingsError where a line of .env is meant for a setting of `known`, and misses it.

    Names of others are nobody's business here, since the file may serve other programs too.
    """
    path = settings_file()
    if path is None or path.name != ".env":
        return
    lines = list(_names(path))
    given = {name for _, name in lines} | set(os.environ)
    for number, name in lines:
        if name.removeprefix("export ").strip() in known - {name}:
            raise SettingsError(f"{path}, line {number}: leave out `export`, it is no shell script")
        like = get_close_matches(name, known - given, n=1, cutoff=_LIKE)
        if name not in known and like:
            raise SettingsError(f"{path}, line {number}: {name} is no setting: write {like[0]}")


def _names(path: Path) -> Iterator[tuple[int, str]]:
    """What stands before the = of each line, with its number, as python-decouple sees it."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, equals, _ = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            yield number, name.strip()
