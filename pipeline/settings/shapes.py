"""What the settings are once they are read: two databases, who is told, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Database:
    """One account on one database: the settings of its `side` ('OLTP' or 'OLAP') say where.

    `account` is what those of the user and the password begin with, such as 'OLAP_BI'.
    """

    side: str
    account: str = field(compare=False)
    host: str
    port: int
    name: str
    user: str
    password: str
    sslmode: str
    sslrootcert: str
    lock_timeout: int  # seconds
    timezone: str  # the shop's, which its sessions are pinned to
    # PostgreSQL's name of what the bytes of an SQL_ASCII database are in; '' where it is another.
    encoding: str = ""

    def __str__(self) -> str:
        """Where it is, without the password."""
        return f"{self.side} {self.user}@{self.host}:{self.port}/{self.name}"

    __repr__ = __str__


@dataclass(frozen=True)
class Notices:
    """Who is told of a run, and how: read apart, since a bad setting elsewhere is to be told too.

    `urls` and `heartbeat_url` carry secrets, which is why the repr leaves them out.
    """

    urls: tuple[str, ...] = field(repr=False)
    again_hours: int
    digest: bool
    language: str
    heartbeat_url: str = field(repr=False)
    metrics_file: Path | None
    state_dir: Path


@dataclass(frozen=True)
class Settings:
    """What the environment says; shares are fractions of one, times UTC, timeouts seconds.

    `olap_bi` is the dashboards' account on the OLAP, None where there is none; `report_path`
    is the page that every run publishes, None where there is none.
    """

    oltp: Database
    olap: Database
    oltp_admin: Database
    olap_admin: Database
    olap_bi: Database | None
    shop: str  # its name among many, '' where it is the one
    shops_dir: Path | None
    state_dir: Path
    oltp_sql_dir: Path | None
    capture: str
    initial_since: datetime | None
    initial_days: int
    timezone: str
    keep_days: int
    deleted_hours: int  # 0: never
    prices_include_tax: bool
    max_reject_share: float
    max_removed_share: float
    max_silent_days: int
    cost_jump_factor: float
    stock_differences: str
    resource: str  # of luigid, '' where it is not set
    log_format: str
    report_path: Path | None
    shop_name: str  # '' where it is not set
    currency: str  # the sign, '' where it is not set
    tracking_url: str
    ruc: str  # '' where it is not set
    establishment: str
    notices: Notices
