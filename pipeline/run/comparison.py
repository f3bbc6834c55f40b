"""OLTP and OLAP compared: the movements and their documents, in blocks of ids or one by one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import rows_of
from pipeline.base.sql_files import read_sql
from pipeline.base.zone_rules import server_rules
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.proof_reads import fingerprints
from pipeline.run import catalogue
from pipeline.run.documents import lost_by_documents, names_at_shop
from pipeline.run.proof import hashes_agree, sent_in
from pipeline.run.source_change import rewritten
from pipeline.state.receipts import horizon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.open_read import Source
    from pipeline.settings import Settings

BLOCK = 10_000  # movements, or so
_NAMED = 20  # of the missing
# So much after the read that saw it, a date has not come yet: it waits (etl.motivo_rechazo).
FUTURE = timedelta(days=1)
AHEAD = timedelta(days=3653)  # dates that are still to come, mistyped perhaps


@dataclass
class Findings:
    """What verify found. The lists hold movement ids; `pending` come with the next window.

    `rejects` are those of the other lists that wait in quarantine, or should. `whole` is why
    everything was looked at, None if only what changed since the one of `last` was; `last_whole`
    is when all was proved before. `catalogue` are the products and branches that the OLAP has
    wrong, each with its `query`, `kind`, `id` and `code`; `documents` the movements of which
    dw.documento_movimiento says another document than the shop.
    `archived` counts what is closed and the OLTP has no more,
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
    catalogue: list[dict[str, Any]] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    names: dict[str, dict[str, str | None]] = field(default_factory=dict)
    whole: str | None = None
    last: str | None = None
    last_whole: str | None = None

    @property
    def movements(self) -> list[int]:
        """Every movement that the OLAP has wrong, in order."""
        return sorted({*self.missing, *self.extra, *self.different})

    @property
    def wrong(self) -> list[int]:
        """Every movement that is wrong, or whose document is, in order."""
        return sorted({*self.movements, *self.documents})

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.wrong or self.books or self.catalogue)


class Comparison:
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
        self.moved = catalogue.fingerprint(shop, queries[1]) != control["catalogo"]
        if self.moved:
            changed = set().union(*catalogue.came_and_went(shop, queries[1], analytical))
        self.query = queries[0]
        # Of what the next window reads whole no difference stays.
        self.stays = findings.restored is None and queries[0].capture != "full"
        self.encoding = sent_in(shop)
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
            dict(rows_of(analytical, "SELECT * FROM etl.aperturas_fechadas()")),
            olap.call(analytical, "SELECT etl.leer_tipos()"),
            None if findings.restored else horizon(control),
            sorted(changed),
            hashed=self.hashed,
            documents=self.stays,
            encoding=self.encoding,
        )

    def copies(self, source: Source, control: olap.Control) -> None:
        """The catalogue and the branches: all of them, unless all comes with the next window."""
        for query in source.queries[1:]:
            # What the next window reads whole, whatever its versions are, only waits.
            if self.stays and not rewritten(source.snapshot, control, query.name):
                self.findings.catalogue += catalogue.faults(
                    self.shop,
                    query,
                    self.analytical,
                    horizon(control),
                    moved=self.moved and query.name == "productos",
                    hashed=self.hashed,
                    encoding=self.encoding,
                )

    def some(self, since_version: int, ids: list[int]) -> list[int]:
        """What the OLTP changed since that transaction id, and `ids`; returns all of their ids."""
        read = self.read(since_version=since_version, ids=ids)
        found = rows_of(self.shop, _template("huella_movidas.sql", read))
        self.findings.compared = sum(in_scope for _, _, in_scope, *_ in found)
        asked = sorted({*ids, *(movement for movement, *_ in found)})
        rows = "SELECT * FROM etl.verificar_movimientos(%s::bigint[], %s, %s)"
        self._judge(found, rows, (asked, self.written_in, self.hashed))
        return asked

    def whole(self) -> None:
        """Everything since the beginning."""
        read = self.read()
        limits = olap.call(self.analytical, "SELECT etl.bloques(%s)", (BLOCK,))
        found = rows_of(self.shop, _template("huella_bloques.sql", read, limits))
        here = _blocks([row[:3] for row in found])
        blocks = "SELECT * FROM etl.verificar_bloques(%s, %s::bigint[], %s, %s)"
        there = _blocks(
            rows_of(self.analytical, blocks, (self.start, limits, self.written_in, self.hashed))
        )
        self.findings.compared = sum(rows for rows, _ in here.values())
        suspects = sorted(
            block for block in here.keys() | there.keys() if here.get(block) != there.get(block)
        )
        suspects = sorted({*suspects, *self._documents_of(found, limits)})
        if suspects:
            found = rows_of(self.shop, _template("huella_filas.sql", read, limits, suspects))
            rows = "SELECT * FROM etl.verificar_filas(%s, %s, %s::bigint[], %s, %s)"
            asked = (self.start, suspects, limits, self.written_in, self.hashed)
            self._judge(found, rows, asked)

    def _documents_of(self, found: list[Any], limits: list[int]) -> set[int]:
        """The blocks whose documents differ.

        A row of a movement that is nowhere is no fault: an opening, among others, leaves some.
        """
        if not self.stays:
            return set()
        asked = "SELECT * FROM etl.verificar_documentos(%s, %s::bigint[], %s)"
        there = dict(rows_of(self.analytical, asked, (self.start, limits, self.hashed)))
        here = {block: int(documents) for block, _, _, documents in found}
        return {b for b in here.keys() | there.keys() if here.get(b, 0) != int(there.get(b, 0))}

    def _judge(self, found: list[Any], rows: str, asked: tuple[Any, ...]) -> None:
        loaded: dict[int, list[int]] = defaultdict(list)
        kept = {}
        for movement, fingerprint, product in rows_of(self.analytical, rows, asked):
            loaded[movement].append(fingerprint)
            if product is not None:
                kept[movement] = product
        gone = loaded.keys() - {movement for movement, *_ in found}
        # Of a document that is there, what it has no more is no archive.
        for movement in lost_by_documents(
            self.analytical, self.shop, self.query, gone & kept.keys()
        ):
            del kept[movement]
        equal = _judge(found, loaded, kept, self.findings)
        if self.stays:
            self._judge_documents(equal)
        # The OLAP cannot tell.
        self.findings.names = names_at_shop(self.shop, self.query, self.findings.missing[:_NAMED])

    def _judge_documents(self, equal: Mapping[int, tuple[int, bool]]) -> None:
        asked = "SELECT * FROM etl.huellas_de_documentos(%s::bigint[], %s)"
        there = dict(rows_of(self.analytical, asked, (sorted(equal), self.hashed)))
        for movement, (document, pending) in sorted(equal.items()):
            if there.get(movement, 0) == document:
                continue
            if pending:
                self.findings.pending += 1
            else:
                self.findings.documents.append(movement)


def _judge(
    found: list[Any], loaded: Mapping[int, list[int]], kept: Mapping[int, int], findings: Findings
) -> dict[int, tuple[int, bool]]:
    """Tell what is wrong from what only waits for the next window.

    `loaded` has two fingerprints of a movement that is in the ledger and among the rejects; of
    what is `kept`, with its product, the OLTP needs nothing any more. Returns the fingerprints of
    the documents of what is equal, and whether they are pending.
    """
    gone, equal = set(loaded), {}
    for movement, fingerprint, in_scope, pending, unknown_product, document in found:
        gone.discard(movement)
        has = loaded.get(movement, [])
        wants = [fingerprint] if in_scope else []
        if has == wants:
            if in_scope:
                equal[movement] = (document, pending)
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
    return equal


def _blocks(rows: list[Any]) -> dict[int, tuple[int, int]]:
    return {block: (count, int(total)) for block, count, total in rows}


def _template(
    name: str, read: sql.Composable, limits: Sequence[int] = (), blocks: Sequence[int] = ()
) -> sql.Composable:
    return sql.SQL(read_sql("oltp", name)).format(
        fingerprints=read, limits=sql.Literal(list(limits)), blocks=sql.Literal(list(blocks))
    )
