"""Many shops: the folder with a file of settings for each, and whose turn it is.

A shop's file stands before common.env, and that before the environment: what one shop is told
never reaches another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from configparser import Error as ConfigParserError
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from decouple import AutoConfig, RepositoryEnv

from pipeline.errors import SettingsError
from pipeline.translation import speak, unspeak
from pipeline.translation import translated as _

COMMON = "common.env"
_NAME = re.compile("[a-z0-9-]{1,40}")
# Of these each shop has its own or none: in common.env they are those of the whole round.
OF_A_ROUND = frozenset(("ETL_NOTIFY_URLS", "ETL_HEARTBEAT_URL", "ETL_METRICS_FILE"))

_current: ContextVar[str] = ContextVar("shop", default="")


def current() -> str:
    """The shop whose settings are read; empty: the one shop of the environment and .env."""
    return _current.get()


@contextmanager
def in_shop(name: str) -> Iterator[None]:
    """Within the block all settings are those of this shop, and texts are in its language.

    With an empty name they are those of the environment, as ever. A file that cannot be read is
    told of by who reads a setting.
    """
    before, spoken = _current.set(name), speak(_language_of(name))
    try:
        yield
    finally:
        _current.reset(before)
        unspeak(spoken)


def _language_of(name: str) -> str | None:
    try:
        given = value_of(name)("ETL_LANG", None) if name else common().get("ETL_LANG")
        # Without a shop the environment stands before common.env, as it does before .env.
        return given if name else AutoConfig(str(Path.cwd()))("ETL_LANG", default=given)
    except (SettingsError, OSError, UnicodeDecodeError, ConfigParserError):
        return None


def take_turn(name: str) -> None:
    """As in_shop(), for the rest of the process, or of the thread; of no name, as it is."""
    if not name:
        return
    _current.set(name)
    speak(_language_of(name))


def folder() -> Path | None:
    """ETL_SHOPS_DIR, of the environment or .env; None where it is not set."""
    return _folder(os.environ.get("ETL_SHOPS_DIR"), Path.cwd())


@lru_cache
def _folder(given: str | None, here: Path) -> Path | None:
    try:
        found = given or AutoConfig(search_path=str(here))("ETL_SHOPS_DIR", default="")
    except (OSError, UnicodeDecodeError, ConfigParserError) as error:
        raise unreadable(error) from error
    return Path(found.strip()).expanduser().absolute() if found.strip() else None


def unreadable(error: Exception) -> SettingsError:
    """What is said of .env, or of a settings.ini, whose faults have several lines."""
    told = " ".join(str(error).split())
    return SettingsError(_(".env cannot be read: {error}").format(error=told))


def names() -> list[str]:
    """The shops of ETL_SHOPS_DIR, in order.

    Raises SettingsError where it is not set, cannot be read, or holds none.
    """
    return [name for name, fault in listed().items() if fault is None]


def listed() -> dict[str, str | None]:
    """Each file of ETL_SHOPS_DIR that ends in .env: the shop's name, or the file's and its fault.

    Raises as names() does.
    """
    place = folder()
    if place is None:
        raise SettingsError(_("ETL_SHOPS_DIR is not set: give the folder with <shop>.env files"))
    try:
        files = sorted(path.name for path in place.iterdir() if path.suffix == ".env")
    except OSError as error:
        raise SettingsError(
            _("ETL_SHOPS_DIR: {path} cannot be read: {strerror}").format(
                path=place, strerror=error.strerror or error
            )
        ) from error
    found = {}
    for file in files:
        name = file.removesuffix(".env")
        if file != COMMON:
            fits = _NAME.fullmatch(name)
            found[name if fits else file] = None if fits else _misnamed(place / file)
    if None not in found.values():
        raise SettingsError(_("ETL_SHOPS_DIR: {path} holds no <shop>.env").format(path=place))
    return found


def _misnamed(path: Path) -> str:
    return _(
        "{path} is named after no shop: lower case letters, digits and -, at most 40, then .env"
    ).format(path=path)


def file_of(name: str) -> Path:
    """Where a shop's settings are; raises SettingsError for what is no shop of ETL_SHOPS_DIR."""
    place = folder()
    if place is None:
        raise SettingsError(_("ETL_SHOPS_DIR is not set: give the folder with <shop>.env files"))
    path = place / f"{name}.env"
    if not _NAME.fullmatch(name):
        raise SettingsError(_misnamed(path))
    if path.name == COMMON or not _is_file(path):
        raise SettingsError(
            _("there is no shop {name}: {path} is missing").format(name=name, path=path)
        )
    return path


def own(name: str) -> dict[str, str]:
    """What stands in the shop's own file; raises SettingsError."""
    return _read(file_of(name))


def common() -> dict[str, str]:
    """What stands in common.env; nothing where there is none. Raises SettingsError."""
    place = folder()
    return _read(place / COMMON) if place and _is_file(place / COMMON) else {}


def value_of(name: str) -> Callable[[str, str | None], str | None]:
    """What a shop's settings are looked up by: a name and a default. Raises SettingsError."""
    given, shared = own(name), common()

    def look_up(setting: str, default: str | None) -> str | None:
        if setting in given or setting in OF_A_ROUND:
            return given.get(setting, default)
        return shared.get(setting, os.environ.get(setting, default))

    return look_up


def files() -> list[Path]:
    """The files that the current shop's settings are read from."""
    own_file = file_of(current())
    shared = own_file.with_name(COMMON)
    return [own_file, *([shared] if _is_file(shared) else [])]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        # It is told by who opens it, with its name.
        return True


def _read(path: Path) -> dict[str, str]:
    try:
        known = path.stat()
        return _parsed(path, known.st_mtime_ns, known.st_size)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{path} cannot be read: {error}").format(path=path, error=error)
        ) from error


@lru_cache(maxsize=16)
def _parsed(path: Path, _changed: int, _size: int) -> dict[str, str]:
    return dict(RepositoryEnv(str(path), encoding="utf-8").data)
