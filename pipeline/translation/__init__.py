"""What people read, in their language: gettext catalogues, read by the standard library alone."""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from configparser import Error as ConfigParserError
from contextvars import ContextVar, Token
from functools import lru_cache
from pathlib import Path

from decouple import AutoConfig

DOMAIN = "pipeline"
CATALOGUES = Path(__file__).parents[1] / "locale"
# The values of ETL_LANG, the default first.
LANGUAGES = ("es", "en")
# The language of the texts in the code, which needs no catalogue.
_SOURCE = "en"
# Of the shop whose turn it is, where there are many; None: ETL_LANG's of the environment or .env.
_chosen: ContextVar[str | None] = ContextVar("language", default=None)


@lru_cache
def translator(language: str) -> Callable[[str], str]:
    """A function from an English text to that of `language`, a value of ETL_LANG.

    Raises FileNotFoundError where the package lacks the catalogue of that language.
    """
    if language == _SOURCE:
        return gettext.NullTranslations().gettext
    return gettext.translation(DOMAIN, CATALOGUES, languages=[language]).gettext


def mark(text: str) -> str:
    """The same text: marks for the catalogue what is translated when it is said."""
    return text


def translated(text: str) -> str:
    """The text in the language of ETL_LANG; placeholders are put in afterwards."""
    return translator(language())(text)


def language() -> str:
    """ETL_LANG, whatever the other settings hold: they are complained of in it, too.

    Where it cannot be read, or is none that there is, the default.
    """
    if chosen := _chosen.get():
        return chosen
    try:
        return _language(os.environ.get("ETL_LANG"), Path.cwd())
    except OSError:
        return LANGUAGES[0]


def speak(given: str | None) -> Token[str | None]:
    """From here on texts are in this language, until unspeak(); None: as the environment says.

    One that there is none of counts as the default.
    """
    found = given.strip() if given else None
    return _chosen.set(found if found is None or found in LANGUAGES else LANGUAGES[0])


def unspeak(before: Token[str | None]) -> None:
    """Take a speak() back."""
    _chosen.reset(before)


@lru_cache
def _language(given: str | None, folder: Path) -> str:
    try:
        found = given or AutoConfig(search_path=str(folder))("ETL_LANG", default=LANGUAGES[0])
    except (OSError, UnicodeDecodeError, ConfigParserError):
        return LANGUAGES[0]
    return found.strip() if found.strip() in LANGUAGES else LANGUAGES[0]
