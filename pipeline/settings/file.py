"""The file that the settings are read from, and what in it would be passed over in silence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.translation import translated as _

# python-decouple's order: where both are in a folder, it never looks at .env.
_FILES = ("settings.ini", ".env")
_LIKE = 0.9  # of the letters: one or two left out, doubled or exchanged


def settings_file() -> Path | None:
    """The file that python-decouple reads: the first above the working directory, or None."""
    here = Path.cwd()
    places = (folder / name for folder in (here, *here.parents) for name in _FILES)
    return next((place for place in places if place.is_file()), None)


def refuse_misspelt(known: set[str], files: Iterable[Path] | None = None) -> None:
    """Raise SettingsError where a line of .env is meant for a setting of `known`, and misses it.

    With `files`, of these. Names of others are nobody's business here, since the file may serve
    other programs too.
    """
    if files is None:
        path = settings_file()
        files = [path] if path is not None and path.name == ".env" else []
    for path in files:
        _refuse_misspelt(known, path)


def _refuse_misspelt(known: set[str], path: Path) -> None:
    lines = list(_names(path))
    given = {name for _, name in lines} | set(os.environ)
    for number, name in lines:
        if name.startswith("export") and name.split()[-1] in known - given:
            raise SettingsError(
                _("{path}, line {number}: leave out `export`, it is no shell script").format(
                    path=path, number=number
                )
            )
        like = None if name in known else _nearest(name, known - given)
        if like:
            raise SettingsError(
                _("{path}, line {number}: {name} is no setting: write {like}").format(
                    path=path, number=number, name=name, like=like
                )
            )


def _nearest(name: str, names: set[str]) -> str | None:
    # Hardly ever needed, and a run begins sooner without.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, n=1, cutoff=_LIKE)), None)


def _names(path: Path) -> Iterator[tuple[int, str]]:
    """What stands before the = of each line, with its number, as python-decouple sees it."""
    text = path.read_text(encoding="utf-8")
    if text.startswith("\ufeff"):
        raise SettingsError(
            _("{path} begins with a byte order mark: save it as UTF-8 without one").format(
                path=path
            )
        )
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, _value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            yield number, name.strip()
