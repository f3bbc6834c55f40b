"""Compare every view with the oracle's own figures, to the view's last digit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import oracle_views
from olap_comparison import compare, read_rows
from oracle_rows import ZERO, Replay

WIDE = Context(prec=80, rounding=ROUND_HALF_UP)
_BESIDE = ["devoluciones", "unidades_devueltas", "mermas", "unidades_merma"]
_LASTING = ["existencias", "venta_diaria", "dias_cobertura", "agotado", "reponer"]
_DAYS_WANTED = 30


def six(number: Fraction | Decimal | None) -> Decimal | None:
    """A ratio as the views show it: rounded once, half up, to six decimals."""
    if number is None:
        return None
    exact = Fraction(number)
    quotient = WIDE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return WIDE.quantize(quotient, Decimal("0.000001"))


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """part / whole in six decimals, None of nothing."""
    return six(Fraction(part) / Fraction(whole)) if whole else None


def view_differences(olap: Any, replay: Replay, hasta: datetime) -> list[str]:
    """A few lines for each view that differs; none where all are the replay's."""
    found: list[str] = []
    for name, key, columns, rows in (
        _daily(replay),
        _monthly(replay),
        _by_product(replay),
        _beside_last_year(replay, hasta),
        _stock(replay),
        _reorder(replay, hasta),
        _branch_reorder(replay, hasta),
        _counts(replay),
        _hours(replay, hasta),
        _doubtful(replay, hasta),
        _ages(replay, hasta),
        _rotation(replay, hasta),
        _abc(replay, hasta),
        _value_by_day(replay),
        _prices(replay),
    ):
        actual = read_rows(olap, name, key, columns)
        # Products that have lost their movements stay in the stock, at zero.
        left = (
            set()
            if len(key) > 1
            else {k for k in actual.keys() - rows.keys() if not _any(columns, actual[k])}
        )
        found += compare(name, columns, rows, {k: r for k, r in actual.items() if k not in left})
    return found


def _any(columns: list[str], row: tuple[Any, ...]) -> bool:
    """Whether a row says anything: over how many days nothing was measured, of whom, does not."""
    named = zip(columns, row, strict=True)
    return any(value for name, value in named if name not in ("dias_medidos", "proveedor"))


def _daily(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {
        key: (
            *(m.unidades_vendidas, m.venta_bruta, *margin),
            *(ratio(margin.margen, margin.venta_neta), m.unidades_recibidas, m.costo_recibido),
            *(m.devoluciones, m.unidades_devueltas, m.mermas, m.unidades_merma),
        )
        for (key, m), margin in zip(
            replay.by_day.items(), oracle_views.margins(replay.by_day).values(), strict=True
        )
    }
    columns = ["unidades", "venta_bruta", "venta_neta", "costo", "ajuste", "margen"]
    return (
        "dw.mv_ventas_diarias",
        ["dia", "id_sucursal", "categoria"],
        [*columns, "margen_relativo", "unidades_recibidas", "costo_recibido", *_BESIDE],
        rows,
    )


def _monthly(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    sums: dict[Any, list[Decimal]] = {}
    for (month, _, product), m in replay.by_month.items():
        row = sums.setdefault((month, product), [ZERO] * 9)
        for position, value in enumerate(
            (
                *(m.unidades_vendidas, m.venta_bruta, m.venta_neta, m.costo_ventas, m.ajuste),
                *(m.devoluciones, m.unidades_devueltas, m.mermas, m.unidades_merma),
            )
        ):
            row[position] += value
    rows = {
        key: (
            *row[:5],
            *(row[2] - row[3] + row[4], ratio(row[2] - row[3] + row[4], row[2])),
            *row[5:],
        )
        for key, row in sums.items()
    }
    columns = ["unidades", "venta_bruta", "venta_neta", "costo", "ajuste", "margen"]
    columns += ["margen_relativo", *_BESIDE]
    return "dw.mv_margen_producto_mes", ["mes", "id_producto"], columns, rows


def _by_product(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {}
    for key, (categoria, m) in oracle_views.by_product(replay).items():
        margin = m.venta_neta - m.costo_ventas + m.ajuste
        rows[key] = (
            *(key[0].replace(day=1), categoria, m.unidades_vendidas, m.venta_bruta, m.venta_neta),
            *(m.costo_ventas, m.ajuste, margin, ratio(margin, m.venta_neta)),
            *(m.unidades_recibidas, m.costo_recibido),
            *(m.devoluciones, m.unidades_devueltas, m.mermas, m.unidades_merma),
        )
    columns = ["mes", "categoria", "unidades", "venta_bruta", "venta_neta", "costo", "ajuste"]
    columns += ["margen", "margen_relativo", "unidades_recibidas", "costo_recibido", *_BESIDE]
    return "dw.v_ventas_producto", ["dia", "id_producto", "id_sucursal"], columns, rows


def _beside_last_year(
    replay: Replay, hasta: datetime
) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.beside_last_year(replay, hasta)
    columns = ["unidades", "venta_bruta", "venta_neta", "margen"]
    columns += [f"{name}_antes" for name in columns]
    return "dw.v_ventas_interanual", ["dia", "id_sucursal", "categoria"], columns, rows


def _stock(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    valued = oracle_views.valued_stock(replay)
    rows = {
        product: (row.existencias, row.costo_promedio, *valued[product], row.precio_sugerido)
        for product, row in replay.inventory.items()
    }
    columns = ["existencias", "costo_promedio", "valor", "valor_negativo", "precio_sugerido"]
    return "dw.mv_inventario_valorizado", ["id_producto"], columns, rows


def _reorder(
    replay: Replay, hasta: datetime
) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {
        product: (
            *_lasting(replay.inventory[product].existencias, cover, _ordered(replay, product)),
            cover.dias_medidos,
            _to_order(replay, product, cover, replay.inventory[product].existencias),
            _supplier(replay, product),
        )
        for product, cover in oracle_views.reorder(replay, hasta).items()
    }
    columns = [*_LASTING, "dias_medidos", "por_pedir", "proveedor"]
    return "dw.mv_reposicion", ["id_producto"], columns, rows


def _supplier(replay: Replay, product: int) -> str | None:
    return replay.products[product].proveedor if product in replay.products else None


def _to_order(replay: Replay, product: int, cover: oracle_views.Cover, stock: Decimal) -> Decimal:
    """Whole units that are missing for the days wanted, of what the shop has not deleted."""
    missing = six(cover.venta_diaria * _DAYS_WANTED - Fraction(stock))
    assert missing is not None
    return Decimal(max(0, ceil(missing))) if _ordered(replay, product) else ZERO


def _branch_reorder(
    replay: Replay, hasta: datetime
) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {}
    paced = oracle_views.sold_in_branches(replay, hasta)
    for (product, branch), cover in oracle_views.branch_reorder(replay, hasta).items():
        stock, whole = replay.branches[product, branch], replay.inventory[product]
        worth = six(Fraction(stock) * Fraction(whole.costo_promedio))
        lasting = _lasting(stock, cover, _ordered(replay, product))
        # Where nothing was sold, net, there is no pace to measure.
        moved = cover.dias_medidos if paced.get((product, branch)) else None
        rows[product, branch] = (
            *(*lasting, worth, whole.existencias, moved),
            _to_order(replay, product, cover, stock),
            _supplier(replay, product),
        )
    columns = [*_LASTING, "valor", "existencias_producto", "dias_medidos", "por_pedir"]
    columns.append("proveedor")
    return "dw.v_reposicion_sucursal", ["id_producto", "id_sucursal"], columns, rows


def _ordered(replay: Replay, product: int) -> bool:
    """Whether the shop would order it again: it has not deleted it."""
    return product not in replay.products or replay.products[product].activo


def _lasting(stock: Decimal, cover: oracle_views.Cover, ordered: bool) -> tuple[Any, ...]:
    return (
        stock,
        six(cover.venta_diaria),
        six(cover.dias_cobertura),
        ordered and stock <= 0 and cover.venta_diaria > 0,
        ordered and stock > 0 and cover.dias_cobertura is not None and cover.dias_cobertura <= 15,
    )


def _counts(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.counts(replay)
    return "dw.v_conteos", ["id_movimiento"], list(oracle_views.Counted._fields), rows


def _hours(replay: Replay, hasta: datetime) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.by_hour(replay, hasta)
    key = ["dia", "hora", "id_sucursal"]
    return "dw.v_ventas_hora", key, list(oracle_views.Hour._fields), rows


def _doubtful(
    replay: Replay, hasta: datetime
) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.doubtful(replay, hasta)
    key = ["dia", "id_sucursal", "id_producto", "motivo"]
    return "dw.v_costo_dudoso", key, list(oracle_views.Doubt._fields), rows


def _ages(replay: Replay, hasta: datetime) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.ages(replay, hasta)
    return "dw.v_antiguedad", ["id_producto"], list(oracle_views.Age._fields), rows


def _rotation(
    replay: Replay, hasta: datetime
) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {
        product: (row.costo_ventas, six(row.valor_promedio), six(row.rotacion))
        for product, row in oracle_views.rotation(replay, hasta).items()
    }
    columns = ["costo_ventas_365_dias", "valor_promedio", "rotacion"]
    return "dw.mv_rotacion", ["id_producto"], columns, rows


def _abc(replay: Replay, hasta: datetime) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {
        product: (row.venta_neta, row.clase)
        for product, row in oracle_views.abc(replay, hasta).items()
    }
    return "dw.mv_abc", ["id_producto"], ["venta_neta_365_dias", "clase"], rows


def _value_by_day(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = oracle_views.daily_value(replay)
    return "dw.mv_valor_diario", ["dia"], list(oracle_views.Day._fields), rows


def _prices(replay: Replay) -> tuple[str, list[str], list[str], Mapping[Any, Any]]:
    rows = {}
    for product, price in oracle_views.prices(replay).items():
        held = replay.inventory[product]
        precio, neto, asked = six(price.precio), six(price.precio_neto), held.precio_sugerido
        assert precio is not None
        assert neto is not None
        away = None if asked is None else precio - asked
        rows[product] = (
            price.ultima_venta,
            precio,
            asked,
            away,
            None if away is None or asked is None else ratio(away, asked),
            neto,
            neto < held.costo_promedio,
        )
    columns = ["ultima_venta", "precio", "precio_sugerido", "diferencia", "diferencia_relativa"]
    return "dw.mv_precios", ["id_producto"], [*columns, "precio_neto", "bajo_costo"], rows
