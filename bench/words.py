"""What the shop's own words cost: documents, levels and ids of text, each beside one without."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bench.measure import Series
from bench.place import ROOT
from bench.shop import Olap, Shop, new_shop

if TYPE_CHECKING:
    from bench.place import Place

PRODUCTS = 100_000
WINDOW = 200
_LINE, _BEFORE = "d.id_detalle AS id_movimiento", "    d.xmin AS version_1"
_LEVELS = (
    "SELECT n.id_producto, n.id_sucursal, n.existencias, n.xmin AS version_1"
    " FROM public.niveles AS n"
)


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """Windows of 200 movements onto so many, and the whole proof."""
    shop = new_shop(place, "bench_words", PRODUCTS)
    shop.sell(rows, 365)
    _keep_levels(shop)
    kinds = {
        "whole numbers alone": Olap(place, shop, "bench_olap_words"),
        "documents": _adapted(
            shop, "documents", {_BEFORE: f"    d.id_transaccion AS id_documento,\n{_BEFORE}"}
        ),
        "levels": _adapted(shop, "levels", {}),
        "ids of text": _adapted(
            shop,
            "text",
            {
                _LINE: "'L-' || d.id_detalle AS id_movimiento",
                "d.id_origen": "'L-' || d.id_origen AS id_origen",
            },
        ),
    }
    windows = {kind: Series(f"a window: {kind}", WINDOW) for kind in kinds}
    proofs = {kind: Series(f"verify --all: {kind}", rows) for kind in kinds}
    for olap in kinds.values():
        olap.reset()
        olap.run()
        place.olap.run(olap.name, "ANALYZE")
    for _ in range(rounds):
        shop.sell(WINDOW, 1)
        for kind, olap in kinds.items():
            windows[kind].add(olap.run()[0].seconds)
            proofs[kind].add(olap.command("verify", "--all").seconds)
    return [*windows.values(), proofs["whole numbers alone"], proofs["ids of text"]]


def _keep_levels(shop: Shop) -> None:
    """The shop's own figure of each product's stock."""
    shop.change(
        "CREATE TABLE public.niveles AS SELECT p.id_producto, 1::bigint AS id_sucursal,"
        " 5::numeric AS existencias FROM public.productos AS p",
        {},
    )


def _adapted(shop: Shop, name: str, words: dict[str, str]) -> Olap:
    """An OLAP that is loaded by the shop's own queries."""
    folder = shop.place.folder / f"queries_{name}"
    shutil.copytree(ROOT / "sql" / "oltp", folder)
    text = (folder / "movimientos.sql").read_text(encoding="utf-8")
    for shipped, own in words.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, own)
    (folder / "movimientos.sql").write_text(text, encoding="utf-8")
    if name == "levels":
        (folder / "existencias.sql").write_text(_LEVELS, encoding="utf-8")
    settings = {"ETL_OLTP_SQL_DIR": str(folder)}
    return Olap(shop.place, shop, f"bench_olap_words_{name}", settings)
