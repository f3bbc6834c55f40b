"""What the receipts of a window hold: of its extract, and of its load. Times are ISO 8601, UTC."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class File(TypedDict):
    """One file of an extract; `columns` in its order, which earlier releases did not tell."""

    rows: int
    bytes: int
    sha256: str
    columns: NotRequired[list[str]]


class Bounds(TypedDict):
    """The snapshot that a read was done in, which the next window reads from; None before any."""

    horizonte: str | None
    lsn: str | None
    identidad: dict[str, Any] | None
    consultas: dict[str, str] | None


class Taken(Bounds):
    """Such a snapshot, and when it was taken."""

    leida: str


class Piece(File, Taken):
    """A piece of earlier history, in the file `name`."""

    name: str


class Levels(TypedDict):
    """Of the shop's own figures of stock: its query's fingerprint, and whether all were read."""

    consulta: str
    todas: bool


class Extract(Taken):
    """extract.json: what was read, and from where the next window reads."""

    id_corrida: str
    desde: str
    hasta: str
    version: str
    desde_inicial: str
    movimientos_oltp: int
    imagen_completa: bool
    motivo_completa: str | None
    catalogo: str
    catalogo_completo: bool
    reconstruir: bool
    orden: str | None
    revisados: list[int]
    borradas_buscadas: bool
    lineas_borradas: list[int]
    fuera_de_alcance: dict[str, Any] | None
    existencias: NotRequired[Levels | None]
    archivos: dict[str, File]
    sha256: str
    segundos: float


class Load(TypedDict):
    """load.json: what became of the window; `counts` are what load_staged() gives."""

    window: str
    run_id: str
    superseded: bool
    already_loaded: bool
    counts: dict[str, Any]
    seconds: float


def horizon(bounds: Bounds) -> int:
    """The oldest transaction that was open then, as 64 bits; 0, which is before all, if none."""
    return int(bounds["horizonte"] or 0)
