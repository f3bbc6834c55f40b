"""What the text of a setting may be: each cast returns its value, or raises ValueError.

Some raise KeyError, OSError, or a SettingsError that says it all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg2.extensions import encodings

from pipeline.errors import SettingsError
from pipeline.translation import translated as _

_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)  # of a RUC's first ten digits


def is_utf8(raw: str) -> bool:
    """Whether a text of the environment or the command line came in UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in raw)


def text(raw: str) -> str:
    """Not empty."""
    if not raw:
        raise ValueError(raw)
    return raw


def one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    """One of these words."""

    def cast(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(raw)
        return raw

    return cast


def shop(raw: str) -> str:
    """Empty, or what a shop of many may be called."""
    if raw and not re.fullmatch("[a-z0-9-]{1,40}", raw):
        raise ValueError(raw)
    return raw


def resource(raw: str) -> str:
    """Empty, or what may stand before a = in [resources] of luigid's configuration."""
    if raw and not re.fullmatch(r"[\w.-]+", raw):
        raise ValueError(raw)
    return raw


def encoding(raw: str) -> str:
    """Empty, or an encoding by PostgreSQL's name, of which Python knows the codec."""
    name = raw.upper()
    if name and name not in encodings:
        raise ValueError(raw)
    return name


def place(raw: str) -> Path | None:
    """A file or folder, None where it is empty."""
    return Path(raw).expanduser().absolute() if raw else None


# What these hold may be secret: a message names the setting, and never says its value.


def channels(raw: str) -> tuple[str, ...]:
    """URLs of Apprise, separated by spaces or commas."""
    # Apprise's URLs may hold commas themselves: what separates is followed by a scheme.
    urls = tuple(
        part.strip(" ,") for part in re.split(r"[\s,]+(?=[A-Za-z][\w+.-]*://)", raw) if part
    )
    for number, url in enumerate(urls, 1):
        if not re.match(r"[A-Za-z][\w+.-]*://\S+$", url):
            raise SettingsError(
                _(
                    "ETL_NOTIFY_URLS: entry {number} is no URL of Apprise, such as mailto://…"
                ).format(number=number)
            )
    return urls


def web_address(setting: str) -> Callable[[str], str]:
    """Empty, or an address on the web; `setting` is what a message names."""

    def cast(raw: str) -> str:
        if raw and not re.match(r"https?://\S+$", raw):
            raise SettingsError(
                _("{setting} must begin with http:// or https://").format(setting=setting)
            )
        return raw

    return cast


def superset_address(raw: str) -> str:
    """An http(s) address without its last slash; empty stays empty."""
    if raw and not re.match(r"https?://[^\s/@]+(/\S*)?$", raw):
        # What stands before an @ would be a password.
        raise SettingsError(_("SUPERSET_URL must be an address such as http://localhost:8088"))
    return raw.rstrip("/")


def port(raw: str) -> int:
    """A TCP port."""
    port = int(raw)
    if not 0 < port < 65536:
        raise ValueError(raw)
    return port


def natural(raw: str) -> int:
    """A whole number from 1 to 100000."""
    number = int(raw)
    if not 0 < number <= 100_000:
        raise ValueError(raw)
    return number


def natural_or_never(raw: str) -> int:
    """A number as natural() takes it, or 0."""
    return 0 if raw == "0" else natural(raw)


def share(raw: str) -> float:
    """A fraction of one."""
    share = float(raw)
    if not 0 <= share <= 1:
        raise ValueError(raw)
    return share


def factor(raw: str) -> float:
    """A number above 1."""
    factor = float(raw)
    if not 1 < factor < 1e9:
        raise ValueError(raw)
    return factor


def boolean(raw: str) -> bool:
    """A yes or a no in the usual words."""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
        raw.lower()
    ]


def zone(raw: str) -> str:
    """The name of a time zone that this machine knows."""
    ZoneInfo(text(raw))
    return raw


def ruc(raw: str) -> str:
    """Empty, or a taxpayer's number of Peru, with its check digit (module 11)."""
    if raw:
        if not re.fullmatch("[0-9]{11}", raw):
            raise ValueError(raw)
        weighed = sum(int(digit) * weight for digit, weight in zip(raw, _WEIGHTS, strict=False))
        if (11 - weighed % 11) % 10 != int(raw[-1]):
            raise ValueError(raw)
    return raw


def establishment(raw: str) -> str:
    """The code of an establishment in the RUC, and what follows it."""
    if not re.fullmatch("[0-9]{4,7}", raw):
        raise ValueError(raw)
    return raw
