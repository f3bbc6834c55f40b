"""One setting after another: where it is looked for, and what a bad one is told as."""

from __future__ import annotations

import os
from collections.abc import Callable
from configparser import Error as ConfigParserError
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from decouple import AutoConfig, UndefinedValueError

from pipeline.errors import SettingsError
from pipeline.settings import casts, shops
from pipeline.settings.catalogue import SETTINGS
from pipeline.settings.file import refuse_misspelt, settings_file
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

T = TypeVar("T")

# What a shop may be called, in words.
SHOP_NAME = N_("the name of a shop: lower case letters, digits and -, at most 40")


class Reader(Protocol):
    """Reads one setting of setting_list: its name, cast, and what it must be."""

    def __call__(self, name: str, cast: Callable[[str], T], expected: str) -> T: ...


def reader(asked: set[str] | None = None) -> Reader:
    """A function (name, cast, what it must be) → value; the default is that of setting_list.

    The names that it is asked for are added to `asked`.
    """
    source = shops.value_of(shops.current()) if shops.current() else _of_the_environment()

    def read(name: str, cast: Callable[[str], T], expected: str) -> T:
        default = SETTINGS[name].default
        if asked is not None:
            asked.add(name)
        raw = source(name, default)
        if raw is None:
            # What was meant for it is told, rather than that it is not there.
            refuse_misspelt(set(SETTINGS), shops.files() if shops.current() else None)
        if raw is None and not shops.current() and shops.folder():
            raise SettingsError(
                _(
                    "{name} is not set, and no shop is named: ETL_SHOP={shop} luigi …, or python "
                    "-m pipeline --shop {shop} …"
                ).format(name=name, shop=shops.names()[0])
            )
        if raw is None:
            raise SettingsError(
                _(
                    "{name} is not set: give it in the environment or in {place} (see .env.example)"
                ).format(name=name, place=_place_of_settings())
            )
        if not casts.is_utf8(raw):
            # It may be a password: its value is not said.
            raise SettingsError(_("{name} is not in UTF-8").format(name=name))
        try:
            return cast(raw.strip())
        except (ValueError, KeyError, OSError):
            raise SettingsError(
                _("{name} is '{raw}', but must be {expected}").format(
                    name=name, raw=raw, expected=_(expected)
                )
            ) from None

    return read


def _of_the_environment() -> Callable[[str, str | None], str | None]:
    """What the environment, else .env says, else common.env where there are many shops."""
    config = AutoConfig(search_path=str(Path.cwd()))

    def look_up(name: str, default: str | None) -> str | None:
        default = shops.common().get(name, default)
        try:
            return str(config(name) if default is None else config(name, default=default))
        except UndefinedValueError:
            return None
        except (OSError, UnicodeDecodeError, ConfigParserError) as error:
            raise shops.unreadable(error) from error

    return look_up


def _place_of_settings() -> str | Path:
    if shop := shops.current():
        return shops.file_of(shop)
    file = settings_file()
    return file if file is not None and file.name != ".env" else ".env"


def state_dir(read: Reader) -> Path:
    """The shop's own; where its file names none, a folder of its name in that of all."""
    shop = shops.current()
    if shop and "ETL_STATE_DIR" not in shops.own(shop):
        return state_of_all() / shop
    return Path(read("ETL_STATE_DIR", casts.text, N_("a folder"))).expanduser().absolute()


def load_shop(read: Reader | None = None) -> str:
    """Whose turn it is, or ETL_SHOP before any's; raises SettingsError for what is no name."""
    given = (read or reader())("ETL_SHOP", casts.shop, SHOP_NAME)
    return shops.current() or given


def state_of_all() -> Path:
    """ETL_STATE_DIR of the environment, .env or common.env; raises SettingsError."""
    return _state_of_all(os.environ.get("ETL_STATE_DIR"), Path.cwd(), shops.folder())


@lru_cache
def _state_of_all(_given: str | None, _here: Path, _shops: Path | None) -> Path:
    with shops.in_shop(""):
        return state_dir(reader())
