"""What people read, in their language: gettext catalogues, read by the standard library alone."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

DOMAIN = "pipeline"
CATALOGUES = Path(__file__).parents[1] / "locale"
# The language of the texts in the code, which needs no catalogue.
_SOURCE = "en"


@lru_cache
def translator(language: str) -> Callable[[str], str]:
    """A function from an English text to that of `language`, a value of ETL_LANG.

    Raises FileNotFoundError where the package lacks the catalogue of that language.
    """
    if language == _SOURCE:
        return gettext.NullTranslations().gettext
    return gettext.translation(DOMAIN, CATALOGUES, languages=[language]).gettext


def mark(text: str) -> str:
    """The same text: as `_` it marks for the catalogue what is translated when it is said."""
    return text
