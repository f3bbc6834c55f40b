"""Where Superset is, and the account that manages its dashboards there."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.errors import PipelineError
from pipeline.settings import Reader, reader
from pipeline.settings.casts import superset_address
from pipeline.translation import mark as N_


class SupersetError(PipelineError):
    """Superset cannot be reached, refused, or does not show what it was given."""


@dataclass(frozen=True)
class Account:
    """A login of Superset (provider db); `url` has no slash at its end."""

    url: str
    user: str
    password: str = field(repr=False)


def load_account(url: str = "", user: str = "") -> Account | None:
    """The account of the environment or .env, or None where no SUPERSET_URL is set.

    A `url` or `user` that is given stands before the setting. Raises SettingsError.
    """
    return account(reader(), url, user)


def account(read: Reader, url: str = "", user: str = "") -> Account | None:
    """The same, by the given reader."""
    found = superset_address(url) or read("SUPERSET_URL", superset_address, N_("a web address"))
    login = user or read("SUPERSET_USER", str, N_("a user name"))
    password = read("SUPERSET_PASSWORD", str, N_("a password"))
    return Account(found, login, password) if found else None
