"""Proof: compares OLTP and OLAP, and the ledger with itself; all of it, or what changed since."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.database import begin_snapshot, connect, rows_of
from pipeline.errors import DatabaseError
from pipeline.oltp.open_read import open_read
from pipeline.run.comparison import Comparison, Findings
from pipeline.run.proof import (
    Proof,
    changed_since,
    look_at_the_shop,
    note_proof,
    read_proof,
    void_proof,
)
from pipeline.run.source_change import why_everything
from pipeline.settings import shops
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

# Of what the OLAP proves alone (etl.verificar_libros), and how many are asked for at once.
# The one that takes longest begins first.
_PARTS, _AT_ONCE = (2, 0, 1), 2
LOST = "perdió su producto"  # as dw.v_rechazos has it


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
            compare = Comparison(settings, analytical, shop, source, control, since, findings)
            compare.copies(source, control)
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
        for fault, product, movement in rows_of(
            analytical, asked, (part, touched is not None, touched or [])
        )
    ]


def _sorted(books: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(books, key=lambda row: (row["fault"], row["product"] or 0, row["movement"] or 0))
