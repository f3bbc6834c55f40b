"""The tree of failures that an operator can cause or cure, each told in one line."""

from __future__ import annotations

import psycopg2
from psycopg2 import errorcodes

from pipeline.translation import mark as N_
from pipeline.translation import translated as _
from pipeline.translation.stored import worded


class PipelineError(Exception):
    """A failure with a known cause; its text is one line: what, where, what to do.

    `plain` says it on the shop's page, where the line has what is not for everybody: a host, an
    account, somebody's session.
    """

    def __init__(self, *told: object, plain: str | None = None) -> None:
        super().__init__(*told)
        self.plain = plain


class SettingsError(PipelineError):
    """A setting is missing or malformed."""


class StateError(PipelineError):
    """The state folder cannot be used."""


class DatabaseError(PipelineError):
    """A database refused, failed or could not be reached."""


class TransientError(DatabaseError):
    """A database failure that a new attempt may not meet: lost connection, deadlock."""


class LockedError(DatabaseError):
    """Somebody else holds a lock for longer than ETL_LOCK_TIMEOUT."""


class SchemaError(PipelineError):
    """The shop's tables or queries are not what movimientos.sql promises."""


class DataError(PipelineError):
    """The extract cannot be loaded as it is; it is discarded, and the window read again."""


class GuardError(PipelineError):
    """A guard holds the window, since what was read is not plausible."""


class InputError(PipelineError):
    """A file or an argument given by the operator is wrong; nothing was changed."""


class LedgerError(PipelineError):
    """A product's ledger does not foot: a row was changed by other hands."""


def missing_extra(what: str, extra: str, error: ImportError) -> PipelineError:
    """What to install, where `what` needs an extra of the package that is not there."""
    return PipelineError(
        _("{what} needs {name}; pip install '.[{extra}]' in the pipeline's folder").format(
            what=what, name=error.name or error, extra=extra
        )
    )


# SQLSTATEs raised by the functions of sql/olap: class ET is theirs alone.
SQLSTATE_DATA = "ETD01"
SQLSTATE_GUARD = "ETG01"
SQLSTATE_SETUP = "ETS01"
SQLSTATE_INPUT = "ETI01"

_OWN_STATES: dict[str, type[PipelineError]] = {
    SQLSTATE_DATA: DataError,
    SQLSTATE_GUARD: GuardError,
    SQLSTATE_SETUP: DatabaseError,
    SQLSTATE_INPUT: InputError,
}

# What to do, by SQLSTATE; where the state does not tell, its class (two characters) does.
_REMEDIES: dict[str, str] = {
    errorcodes.UNDEFINED_TABLE: N_(
        "run `python -m pipeline init`, or correct the table in sql/oltp"
    ),
    errorcodes.UNDEFINED_FUNCTION: N_(
        "run `python -m pipeline init` to create or upgrade the OLAP"
    ),
    errorcodes.UNDEFINED_COLUMN: N_(
        "correct the column in sql/oltp, or run `python -m pipeline init`"
    ),
    errorcodes.INVALID_SCHEMA_NAME: N_("run `python -m pipeline init`"),
    errorcodes.UNDEFINED_OBJECT: N_("create it first (roles: CREATE ROLE … LOGIN PASSWORD …)"),
    errorcodes.INSUFFICIENT_PRIVILEGE: N_(
        "grant it, or run `python -m pipeline init` as an administrator "
        "(OLAP_ADMIN_USER, OLTP_ADMIN_USER)"
    ),
    errorcodes.DISK_FULL: N_("free disk space on the database server, then run again"),
    errorcodes.QUERY_CANCELED: N_("a statement timeout or an operator cancelled it; run again"),
    errorcodes.LOCK_NOT_AVAILABLE: N_(
        "wait for the other session to end, or end it; then run again"
    ),
    errorcodes.READ_ONLY_SQL_TRANSACTION: N_(
        "the server is read-only (a standby?); use the primary"
    ),
    "08": N_("run again when the server answers"),
    "40": N_("run again"),
    "53": N_("the server is out of a resource; look at its log, then run again"),
    "57": N_("the server ended the session; run again when it is up"),
}

# Where PostgreSQL fails to get shared memory for workers, with the SQLSTATE of a full disk or
# of exhausted memory. Unlike the message, the name of its source is in no language.
_SHARED_MEMORY = {"dsm.c", "dsm_impl.c", "dsa.c"}
_NO_SHARED_MEMORY = N_(
    "the server has no shared memory left for parallel workers: give its container "
    "more of /dev/shm (docker run --shm-size=256m)"
)

# On the shop's side nothing is ours but the queries of sql/oltp.
_OLTP_QUERY = N_("correct the query in sql/oltp, or in the folder that ETL_OLTP_SQL_DIR names")
_OLTP_REMEDIES: dict[str, str] = {
    errorcodes.UNDEFINED_TABLE: N_(
        "correct the query in sql/oltp, or in the folder that ETL_OLTP_SQL_DIR names (which "
        "recipe, if any, is for this database: `python -m pipeline adapt --detect`. The example "
        "shop's tables come with `python -m pipeline init --example-oltp`)"
    ),
    errorcodes.UNDEFINED_FUNCTION: _OLTP_QUERY,
    errorcodes.UNDEFINED_COLUMN: _OLTP_QUERY,
    errorcodes.INVALID_SCHEMA_NAME: _OLTP_QUERY,
    errorcodes.CHARACTER_NOT_IN_REPERTOIRE: N_(
        "its encoding, SQL_ASCII, does not say what its bytes are: set "
        "OLTP_DB_ENCODING to what they are, such as LATIN1 or WIN1252, then run again"
    ),
    errorcodes.READ_ONLY_SQL_TRANSACTION: N_(
        "a query may only read, and init and import need the primary: correct the query in "
        "sql/oltp, or in the folder that ETL_OLTP_SQL_DIR names"
    ),
}

# What init finds in the OLAP and does not know.
_NOT_OURS = N_(
    "schema dw or etl holds an object of another origin, or a damaged one: rename "
    "or restore it, or give OLAP_DB_NAME an empty database"
)
_INIT_REMEDIES: dict[str, str] = dict.fromkeys(
    (errorcodes.UNDEFINED_TABLE, errorcodes.UNDEFINED_COLUMN, errorcodes.WRONG_OBJECT_TYPE),
    _NOT_OURS,
)

_TRANSIENT = {
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.ADMIN_SHUTDOWN,
    errorcodes.CRASH_SHUTDOWN,
    errorcodes.CANNOT_CONNECT_NOW,
}


def one_line(text: str) -> str:
    """Fold a message of several lines into one."""
    return "; ".join(part.strip() for part in text.strip().splitlines() if part.strip())


def translate(error: psycopg2.Error, where: str, *, reads_shop: bool = False) -> PipelineError:
    """Say a driver's error in one line.

    `where` names the side and the step ("OLAP: load"); `reads_shop` says that it is
    the shop's side, where what is not there is a fault of its own queries. The result is of our own
    tree: functions of sql/olap choose the class through their SQLSTATE, lost
    connections and deadlocks become TransientError, the rest DatabaseError.
    """
    state = error.pgcode or ""
    diagnostics = error.diag
    message = worded(one_line(diagnostics.message_primary or str(error) or type(error).__name__))
    if state in _OWN_STATES:
        hint = f"; {worded(one_line(diagnostics.message_hint))}" if diagnostics.message_hint else ""
        return _OWN_STATES[state](f"{where}: {message}{hint}")
    if "no message from the libpq" in message:
        # The driver's words for a connection that was reset in the middle of a COPY.
        message = _("the server closed the connection unexpectedly")
    known = _REMEDIES | (_OLTP_REMEDIES if reads_shop else {})
    if where == "OLAP: init":
        known |= _INIT_REMEDIES
    known_remedy = known.get(state) or known.get(state[:2])
    remedy = _(known_remedy) if known_remedy else None
    if state == errorcodes.INSUFFICIENT_PRIVILEGE and "row-level security" in message:
        remedy = _("the account must see every row: ALTER ROLE … BYPASSRLS")
    out_of_shared_memory = state[:2] == "53" and diagnostics.source_file in _SHARED_MEMORY
    if out_of_shared_memory:
        remedy = _(_NO_SHARED_MEMORY)
    text = f"{where}: {message}" + (f"; {remedy}" if remedy else "")
    if out_of_shared_memory:
        return DatabaseError(text)
    if state == errorcodes.LOCK_NOT_AVAILABLE:
        return LockedError(text)
    # What never reached the server's own words is a connection that broke, mid COPY too.
    lost = not state and not isinstance(error, psycopg2.ProgrammingError)
    if lost and not remedy:
        text += f"; {_(_REMEDIES['08'])}"
    if lost or state in _TRANSIENT or state.startswith("08"):
        return TransientError(text)
    return DatabaseError(text)
