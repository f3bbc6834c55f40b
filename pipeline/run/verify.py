"""Proof: compares OLTP and OLAP, and the ledger with itself; all of it, or what changed since."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import begin_snapshot, connect
from pipeline.base.sql_files import read_sql
from pipeline.base.zone_rules import server_rules
from pipeline.errors import DatabaseError
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.open_read import open_read
from pipeline.oltp.proof_reads import fingerprints
from pipeline.run import catalogue
from pipeline.run.documents import lost_by_documents, names_at_shop
from pipeline.run.proof import (
    Proof,
    changed_since,
    hashes_agree,
    look_at_the_shop,
    note_proof,
    read_proof,
    void_proof,
)
from pipeline.run.source_change import why_everything
from pipeline.settings import shops
from pipeline.state.receipts import horizon
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.open_read import Source
    from pipeline.settings import Settings

BLOCK = 10_000  # movements, or so
# Of what the OLAP proves alone (etl.verificar_libros), and how many are asked for at once.
# The one that takes longest begins first.
_PARTS, _AT_ONCE = (2, 0, 1), 2
LOST = "perdió su producto"  # as dw.v_rechazos has it
_NAMED = 20  # of the missing
# So much after the read that saw it, a date has not come yet: it waits (etl.motivo_rechazo).
FUTURE = timedelta(days=1)
AHEAD = timedelta(days=3653)  # dates that are still to come, mistyped perhaps


@dataclass
class Findings:
    """What verify found. The lists hold movement ids; `pending` come with the next window.

    `rejects` are those of the other lists that wait in quarantine, or should. `whole` is why
    everything was looked at, None if only what changed since the one of `last` was; `last_whole`
    is when all was proved before. `archived` counts what is closed and the OLTP has no more,
    `lost` what waits as rejects since it lost its product once it was valued. `stock` is what
    etl.resumir_diferencias() gave: the shop's own stock tells of what the OLTP lacks, and is no
    part of what is proved. `names` are what the shop calls some of the missing, as names.py has
    them. Times are ISO 8601.
    """

    compared: int = 0
    missing: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    different: list[int] = field(default_factory=list)
    rejects: list[int] = field(default_factory=list)
    pending: int = 0
    archived: int = 0
    lost: int = 0
    stock: dict[str, Any] = field(default_factory=dict)
    restored: str | None = None
    books: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, dict[str, str | None]] = field(default_factory=dict)
    whole: str | None = None
    last: str | None = None
    last_whole: str | None = None

    @property
    def movements(self) -> list[int]:
        """Every movement that the OLAP has wrong, in order."""
        return sorted({*self.missing, *self.extra, *self.different})

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.movements and not self.books


def verify(settings: Settings, since: datetime | None, *, everything: bool = False) -> Findings:
    """Compare OLTP and OLAP, and the OLAP with itself.

    What changed since the last that found nothing, where that is enough; `everything` asks for
    more, and so does `since` (UTC), which compares what is dated at or after it. The OLAP is read
    in one snapshot, then the OLTP in one: what the OLTP changed after the last window's horizon is
    pending, not wrong. Changes nothing, but for the OLAP's note of a verify that found nothing.
    Raises DatabaseError before the first window.
    """
    findings, proof = _verify(settings, since, everything)
    if not findings.clean:
        void_proof(settings)
    elif since is None and findings.restored is None:
        note_proof(settings, proof)
    return findings


def _verify(settings: Settings, since: datetime | None, everything: bool) -> tuple[Findings, Proof]:
    findings = Findings()
    with connect(settings.olap, "verify", read_only=True) as analytical:
        begin_snapshot(analytical)
        control = olap.call(analytical, "SELECT etl.leer_control()")
        if control is None or control["hasta"] is None:
            raise DatabaseError(
                _("OLAP: nothing was loaded yet; run `luigi --module pipeline RunDue`")
            )
        proof = read_proof(analytical, "--since" if since else "--all" if everything else None)
        with connect(settings.oltp, "verify", read_only=True) as shop:
            source = open_read(shop, settings)
            findings.restored = why_everything(shop, source.snapshot, control)
            look_at_the_shop(proof, shop, source)
            ids = changed_since(proof, analytical)
            compare = _Comparison(settings, analytical, shop, source, control, since, findings)
            if proof.whole is None:
                touched = compare.some(proof.horizon, ids)
                findings.books = _sorted(
                    fault for part in _PARTS for fault in _books(analytical, part, touched)
                )
            else:
                snapshot = olap.call(analytical, "SELECT pg_export_snapshot()")
                with ThreadPoolExecutor(
                    _AT_ONCE, initializer=shops.take_turn, initargs=(shops.current(),)
                ) as pool:
                    books = [
                        pool.submit(_books_beside, settings, snapshot, part) for part in _PARTS
                    ]
                    compare.whole()
                    findings.books = _sorted(fault for part in books for fault in part.result())
        reasons = olap.call(analytical, "SELECT etl.motivos_de_rechazo()")
        findings.lost = reasons.get(LOST, 0)
        findings.stock = olap.call(analytical, "SELECT etl.resumir_diferencias()")
    findings.whole, findings.last_whole = proof.whole, proof.last_whole
    findings.last = proof.last
    return findings, proof


class _Comparison:
    """OLTP and OLAP, each in its snapshot: in blocks of ids, or movement by movement."""

    def __init__(
        self,
        settings: Settings,
        analytical: Connection,
        shop: Connection,
        source: Source,
        control: olap.Control,
        since: datetime | None,
        findings: Findings,
    ) -> None:
        self.analytical, self.shop, self.findings = analytical, shop, findings
        queries = source.queries
        initial = olap.initial_date(control)
        assert initial is not None
        self.start = max(since, initial) if since else initial
        changed: set[int] = set()
        # By the fingerprint the next window tells, too: only then does it read what they have.
        if catalogue.fingerprint(shop, queries[1]) != control["catalogo"]:
            changed = set().union(*catalogue.came_and_went(shop, queries[1], analytical))
        self.query = queries[0]
        zone, until = settings.timezone, datetime.now(UTC) + AHEAD
        movements = with_rules(
            queries[0],
            control["tipos"],
            lambda: server_rules(analytical, zone, self.start, until),
        )
        self.written_in = zone if movements.wall_clock else "UTC"
        self.hashed = hashes_agree(shop, analytical)
        self.read = partial(
            fingerprints,
            movements,
            queries[1],
            self.start,
            olap.call(analytical, "SELECT etl.ultima_lectura()") + FUTURE,
            dict(_rows(analytical, "SELECT * FROM etl.aperturas_fechadas()")),
            olap.call(analytical, "SELECT etl.leer_tipos()"),
            None if findings.restored else horizon(control),
            sorted(changed),
            hashed=self.hashed,
        )

    def some(self, since_version: int, ids: list[int]) -> list[int]:
        """What the OLTP changed since that transaction id, and `ids`; returns all of their ids."""
        read = self.read(since_version=since_version, ids=ids)
        found = _rows(self.shop, _template("huella_movidas.sql", read))
        self.findings.compared = sum(in_scope for _, _, in_scope, *_ in found)
        asked = sorted({*ids, *(movement for movement, *_ in found)})
        rows = "SELECT * FROM etl.verificar_movimientos(%s::bigint[], %s, %s)"
        self._judge(found, rows, (asked, self.written_in, self.hashed))
        return asked

    def whole(self) -> None:
        """Everything since the beginning."""
        read = self.read()
        limits = olap.call(self.analytical, "SELECT etl.bloques(%s)", (BLOCK,))
        here = _blocks(_rows(self.shop, _template("huella_bloques.sql", read, limits)))
        blocks = "SELECT * FROM etl.verificar_bloques(%s, %s::bigint[], %s, %s)"
        there = _blocks(
            _rows(self.analytical, blocks, (self.start, limits, self.written_in, self.hashed))
        )
        self.findings.compared = sum(rows for rows, _ in here.values())
        suspects = sorted(
            block for block in here.keys() | there.keys() if here.get(block) != there.get(block)
        )
        if suspects:
            found = _rows(self.shop, _template("huella_filas.sql", read, limits, suspects))
            rows = "SELECT * FROM etl.verificar_filas(%s, %s, %s::bigint[], %s, %s)"
            asked = (self.start, suspects, limits, self.written_in, self.hashed)
            self._judge(found, rows, asked)

    def _judge(self, found: list[Any], rows: str, asked: tuple[Any, ...]) -> None:
        loaded: dict[int, list[int]] = defaultdict(list)
        kept = {}
        for movement, fingerprint, product in _rows(self.analytical, rows, asked):
            loaded[movement].append(fingerprint)
            if product is not None:
                kept[movement] = product
        gone = loaded.keys() - {movement for movement, *_ in found}
        # Of a document that is there, what it has no more is no archive.
        for movement in lost_by_documents(
            self.analytical, self.shop, self.query, gone & kept.keys()
        ):
            del kept[movement]
        _judge(found, loaded, kept, self.findings)
        # The OLAP cannot tell.
        self.findings.names = names_at_shop(self.shop, self.query, self.findings.missing[:_NAMED])


def _judge(
    found: list[Any], loaded: Mapping[int, list[int]], kept: Mapping[int, int], findings: Findings
) -> None:
    """Tell what is wrong from what only waits for the next window.

    `loaded` has two fingerprints of a movement that is in the ledger and among the rejects; of
    what is `kept`, with its product, the OLTP needs nothing any more.
    """
    gone = set(loaded)
    for movement, fingerprint, in_scope, pending, unknown_product in found:
        gone.discard(movement)
        has = loaded.get(movement, [])
        wants = [fingerprint] if in_scope else []
        if has == wants:
            continue
        # Its product is archived, too.
        if unknown_product is not None and kept.get(movement) == unknown_product:
            findings.archived += 1
            continue
        if pending:
            findings.pending += 1
            continue
        kind = "different" if has and wants else "extra" if has else "missing"
        getattr(findings, kind).append(movement)
        # Of what waits, the fingerprint is negative.
        if min(has + wants) < 0:
            findings.rejects.append(movement)
    findings.archived += len(gone & kept.keys())
    gone -= kept.keys()
    findings.extra.extend(sorted(gone))
    findings.rejects.extend(sorted(movement for movement in gone if min(loaded[movement]) < 0))


def _books_beside(settings: Settings, snapshot: str, part: int) -> list[dict[str, Any]]:
    """A part of all of them, in a session of its own that sees what the other one does."""
    with connect(settings.olap, "verify", read_only=True) as connection:
        begin_snapshot(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION SNAPSHOT %s", (snapshot,))
        return _books(connection, part, None)


def _books(analytical: Connection, part: int, touched: list[int] | None) -> list[dict[str, Any]]:
    """Where the ledger, the stock and the summaries disagree; of what was `touched` alone."""
    asked = "SELECT * FROM etl.verificar_libros(%s, %s, %s::bigint[])"
    return [
        {"fault": fault, "product": product, "movement": movement}
        for fault, product, movement in _rows(
            analytical, asked, (part, touched is not None, touched or [])
        )
    ]


def _sorted(books: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(books, key=lambda row: (row["fault"], row["product"] or 0, row["movement"] or 0))


def _blocks(rows: list[Any]) -> dict[int, tuple[int, int]]:
    return {block: (count, int(total)) for block, count, total in rows}


def _template(
    name: str, read: sql.Composable, limits: Sequence[int] = (), blocks: Sequence[int] = ()
) -> sql.Composable:
    return sql.SQL(read_sql("oltp", name)).format(
        fingerprints=read, limits=sql.Literal(list(limits)), blocks=sql.Literal(list(blocks))
    )


def _rows(
    connection: Connection, statement: str | sql.Composable, parameters: tuple[Any, ...] = ()
) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()
