"""Proof: compares OLTP and OLAP in blocks of ids, and each ledger with itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql
from pipeline.base.zone_rules import server_rules
from pipeline.errors import DatabaseError
from pipeline.oltp.open_read import open_read
from pipeline.oltp.reads import fingerprints, with_rules
from pipeline.run import catalogue
from pipeline.run.source_change import why_everything
from pipeline.state.receipts import horizon
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

BLOCK = 10_000  # ids
SAMPLE = 200  # products replayed
# So much after the read that saw it, a date has not come yet: it waits (etl.motivo_rechazo).
FUTURE = timedelta(days=1)
AHEAD = timedelta(days=3653)  # dates that are still to come, mistyped perhaps


@dataclass
class Findings:
    """What verify found. The lists hold movement ids; `pending` come with the next window.

    `rejects` are those of the other lists that wait in quarantine, or should.
    """

    compared: int = 0
    missing: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    different: list[int] = field(default_factory=list)
    rejects: list[int] = field(default_factory=list)
    pending: int = 0
    restored: str | None = None
    books: list[dict[str, Any]] = field(default_factory=list)

    @property
    def movements(self) -> list[int]:
        """Every movement that the OLAP has wrong, in order."""
        return sorted({*self.missing, *self.extra, *self.different})

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.movements and not self.books


def verify(settings: Settings, since: datetime | None) -> Findings:
    """Compare what is dated at or after `since` (UTC; None: the initial date). Changes nothing.

    The OLAP is read in one snapshot, then the OLTP in one: what the OLTP changed
    after the last window's horizon is pending, not wrong. Raises DatabaseError before
    the first window.
    """
    findings = Findings()
    with connect(settings.olap, "verify", read_only=True) as analytical:
        analytical.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        control = olap.call(analytical, "SELECT etl.leer_control()")
        if control is None or control["hasta"] is None:
            raise DatabaseError(
                _("OLAP: nothing was loaded yet; run `luigi --module pipeline RunDue`")
            )
        initial = olap.initial_date(control)
        assert initial is not None
        start = max(since, initial) if since else initial
        with connect(settings.oltp, "verify", read_only=True) as shop:
            _compare(settings, analytical, shop, control, start, findings)
        findings.books = _books(analytical)
    return findings


def _compare(
    settings: Settings,
    analytical: Connection,
    shop: Connection,
    control: olap.Control,
    start: datetime,
    findings: Findings,
) -> None:
    source = open_read(shop, settings)
    queries = source.queries
    findings.restored = why_everything(shop, source.snapshot, control)
    last = None if findings.restored else horizon(control)
    changed: set[int] = set()
    # By the fingerprint the next window tells, too: only then does it read what they have.
    if catalogue.fingerprint(shop, queries[1]) != control["catalogo"]:
        changed = set().union(*catalogue.came_and_went(shop, queries[1], analytical))
    zone, until = settings.timezone, datetime.now(UTC) + AHEAD
    movements = with_rules(queries[0], lambda: server_rules(analytical, zone, start, until))
    written_in = zone if movements.wall_clock else "UTC"
    read = fingerprints(
        movements,
        queries[1],
        start,
        olap.call(analytical, "SELECT etl.ultima_lectura()") + FUTURE,
        dict(_rows(analytical, "SELECT * FROM etl.aperturas_fechadas()")),
        last,
        sorted(changed),
    )
    here = _blocks(_rows(shop, _template("huella_bloques.sql", read)))
    there = _blocks(
        _rows(
            analytical,
            "SELECT * FROM etl.verificar_bloques(%s, %s, %s)",
            (start, BLOCK, written_in),
        )
    )
    findings.compared = sum(rows for rows, _ in here.values())
    suspects = sorted(
        block for block in here.keys() | there.keys() if here.get(block) != there.get(block)
    )
    if suspects:
        found = _rows(shop, _template("huella_filas.sql", read, blocks=suspects))
        loaded: dict[int, list[int]] = defaultdict(list)
        for movement, fingerprint in _rows(
            analytical,
            "SELECT * FROM etl.verificar_filas(%s, %s, %s, %s)",
            (start, suspects, BLOCK, written_in),
        ):
            loaded[movement].append(fingerprint)
        _judge(found, loaded, findings)


def _judge(found: list[Any], loaded: Mapping[int, list[int]], findings: Findings) -> None:
    """Tell what is wrong from what only waits for the next window.

    `loaded` has two fingerprints of a movement that is in the ledger and among the rejects.
    """
    gone = set(loaded)
    for movement, fingerprint, in_scope, pending in found:
        gone.discard(movement)
        has = loaded.get(movement, [])
        wants = [fingerprint] if in_scope else []
        if has == wants:
            continue
        if pending:
            findings.pending += 1
            continue
        kind = "different" if has and wants else "extra" if has else "missing"
        getattr(findings, kind).append(movement)
        # Of what waits, the fingerprint is negative.
        if min(has + wants) < 0:
            findings.rejects.append(movement)
    findings.extra.extend(sorted(gone))
    findings.rejects.extend(sorted(movement for movement in gone if min(loaded[movement]) < 0))


def _books(analytical: Connection) -> list[dict[str, Any]]:
    rows = _rows(analytical, "SELECT * FROM etl.verificar_libros(%s, random())", (SAMPLE,))
    return [
        {"fault": fault, "product": product, "movement": movement}
        for fault, product, movement in rows
    ]


def _blocks(rows: list[Any]) -> dict[int, tuple[int, int]]:
    return {block: (count, int(total)) for block, count, total in rows}


def _template(name: str, read: sql.Composable, blocks: list[int] | None = None) -> sql.Composable:
    return sql.SQL(read_sql("oltp", name)).format(
        fingerprints=read, size=sql.Literal(BLOCK), blocks=sql.Literal(blocks or [])
    )


def _rows(
    connection: Connection, statement: str | sql.Composable, parameters: tuple[Any, ...] = ()
) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()
