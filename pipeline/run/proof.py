"""What was proved last, and whether a verify may look only at what changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from psycopg2 import sql
from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.logs import log
from pipeline.base.sql_files import read_sql
from pipeline.errors import PipelineError
from pipeline.oltp.proof_reads import fingerprint_of
from pipeline.run.source_change import why_everything
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.open_read import Source
    from pipeline.settings import Settings
    from pipeline.state.receipts import Bounds

# So many are not asked for one by one.
_MANY = 100_000


@dataclass
class Proof:
    """The last verify that found nothing, and what this one proves.

    `whole` says why everything is looked at, None where what changed since is enough. `state` is
    what the OLAP is like now, `last` and `last_whole` when it was proved, ISO 8601.
    """

    state: dict[str, Any]
    before: dict[str, Any] | None
    last: str | None
    last_whole: str | None
    whole: str | None

    @property
    def horizon(self) -> int:
        """The OLTP's rows that are not older than this transaction id are not proved."""
        return int((self.before or {})["horizonte"])


def read_proof(analytical: Connection, asked: str | None) -> Proof:
    """What the OLAP notes of the last one; `asked` says why this is a whole one in any case."""
    told = olap.call(analytical, "SELECT etl.leer_prueba()")
    return Proof(
        told["estado"], told["antes"], told["probada"], told["entera"], asked or told["motivo"]
    )


def look_at_the_shop(proof: Proof, shop: Connection, source: Source) -> None:
    """Make it a whole one where the OLTP's row versions cannot tell what changed since."""
    if proof.whole is None and source.queries[0].capture == "full":
        proof.whole = "ETL_CAPTURE=full"
    if proof.whole is None:
        proof.whole = why_everything(shop, source.snapshot, cast("Bounds", proof.before))


def changed_since(proof: Proof, analytical: Connection) -> list[int]:
    """The movements that loads wrote since, and those that wait; none for a whole one."""
    if proof.whole is not None:
        return []
    with analytical.cursor() as cursor:
        cursor.execute("SELECT * FROM etl.por_comparar() LIMIT %s", (_MANY + 1,))
        ids = [movement for (movement,) in cursor]
    if len(ids) > _MANY:
        proof.whole = _("more than {many} movements changed").format(many=_MANY)
        return []
    return ids


def hashes_agree(shop: Connection, analytical: Connection) -> bool:
    """Whether both servers make the same hashes."""
    asks = sql.SQL(read_sql("oltp", "huella_prueba.sql"))
    there = olap.call(
        shop, asks.format(fingerprint=fingerprint_of(sql.SQL("c.contenido"), hashed=True))
    )
    here = olap.call(
        analytical, asks.format(fingerprint=sql.SQL("etl.huella(c.contenido, NULL, true)"))
    )
    return bool(there == here)


def sent_in(shop: Connection) -> str | None:
    """In what the shop's server has its texts, as it sends them; None where it converts them."""
    if shop.info.parameter_status("server_encoding") not in ("SQL_ASCII", "UTF8"):
        return None
    return shop.info.parameter_status("client_encoding")


def note_proof(settings: Settings, proof: Proof) -> None:
    """Note in the OLAP that this state was proved. Where that fails the old note stays."""
    _note(
        settings, "SELECT etl.anotar_prueba(%s, %s)", (Json(proof.state), proof.whole is not None)
    )


def void_proof(settings: Settings) -> None:
    """Note that something was found: all are whole ones, until one finds nothing."""
    _note(settings, "SELECT etl.anular_prueba()")


def _note(settings: Settings, asked: str, values: tuple[Any, ...] = ()) -> None:
    try:
        with connect(settings.olap, "verify") as connection:
            olap.call(connection, asked, values)
            connection.commit()
    except PipelineError as failure:
        log.warning(_("%s; this verify is not noted"), failure)


def minute(moment: str | None) -> str:
    """An ISO 8601 moment as people are told it, in the zone that it is told in."""
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M") if moment else _("never")
