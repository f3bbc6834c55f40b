"""A line of each file that `import` reads: what it must be, and the row it is staged as."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipeline.base.csv_rows import Row, Rows, rounded
from pipeline.translation import translated as _

PRODUCT_COLUMNS = ("id_producto", "nombre")
PRODUCT_OPTIONAL = ("codigo", "categoria", "precio_lista")
MOVEMENT_COLUMNS = (
    "id_transaccion",
    "tipo",
    "id_producto",
    "cantidad",
    "precio_unitario",
    "costo_unitario",
    "fecha",
)
MOVEMENT_OPTIONAL = (
    "id_sucursal",
    "id_tienda",
    "anulada",
    "id_origen",
    "id_sucursal_destino",
    "id_tienda_destino",
    "importe",
)

# By its type, the amount that a movement is valued by, if any; the other one may be empty.
_VALUED_BY = {
    "ENTRADA_MERCANCIA": "costo_unitario",
    "AJUSTE_ENTRADA": "costo_unitario",
    "COSTO_ADICIONAL": "costo_unitario",
    "VENTA": "precio_unitario",
    "AJUSTE_SALIDA": None,
    "DEVOLUCION_COMPRA": "costo_unitario",
    "TRASLADO": None,
    "DESCUENTO_VENTA": "precio_unitario",
    "DEVOLUCION_VENTA": "precio_unitario",
    "CONTEO": "costo_unitario",
}
# Of these it may be empty, too: what enters so enters at the average.
_MAY_LACK_AMOUNT = ("AJUSTE_ENTRADA", "DEVOLUCION_COMPRA", "CONTEO")
# What a negative quantity makes of a movement, as most tills write it.
_OPPOSITE = {
    "VENTA": "DEVOLUCION_VENTA",
    "ENTRADA_MERCANCIA": "DEVOLUCION_COMPRA",
    "AJUSTE_ENTRADA": "AJUSTE_SALIDA",
    "AJUSTE_SALIDA": "AJUSTE_ENTRADA",
}
# An empty quantity of these is 1.
_ONE = ("COSTO_ADICIONAL", "DESCUENTO_VENTA")
_TOTAL_LIMIT = Decimal(10) ** 12  # DESIGN 7.2


def product_line(row: Row) -> tuple[object, ...]:
    """The line of a product, in the order of importar_etapa.sql. Raises InputError, as all here."""
    list_price = row.decimal("precio_lista", minimum=0) if row.text("precio_lista") else None
    return (
        row.line,
        row.integer("id_producto"),
        row.text("codigo") or None,
        row.required_text("nombre"),
        row.text("categoria") or None,
        list_price,
    )


def movement_lines(rows: Rows, zone: str) -> Iterator[tuple[object, ...]]:
    """The lines of movements, whose moments without an offset are of `zone`."""
    branch = "id_sucursal" if "id_sucursal" in rows.columns else "id_tienda"
    target = "id_sucursal_destino" if "id_sucursal_destino" in rows.columns else "id_tienda_destino"
    for row in rows:
        kind = row.choice("tipo", tuple(_VALUED_BY))
        quantity = _quantity(row, kind)
        back = quantity is not None and rounded(quantity) < 0
        meant = _OPPOSITE[kind] if back else kind
        amounts = {n: _amount(row, n, meant) for n in ("precio_unitario", "costo_unitario")}
        valued_by = _VALUED_BY[meant]
        times = rounded(Decimal(1) if quantity is None else quantity)
        if valued_by and abs(times * rounded(amounts[valued_by] or Decimal(0))) >= _TOTAL_LIMIT:
            raise row.error(
                "cantidad",
                _("must be below {total_limit} when times {valued_by}").format(
                    total_limit=_TOTAL_LIMIT, valued_by=valued_by
                ),
            )
        yield (
            row.line,
            row.integer("id_transaccion"),
            kind,
            row.integer("id_producto"),
            quantity,
            amounts["precio_unitario"],
            amounts["costo_unitario"],
            row.moment("fecha", zone),
            row.integer(branch) if row.text(branch) else None,
            row.boolean("anulada") if row.text("anulada") else False,
            row.integer("id_origen") if row.text("id_origen") else None,
            _destination(row, kind, branch, target),
            _line_amount(row, any_sign=back or kind == "COSTO_ADICIONAL"),
        )


def _quantity(row: Row, kind: str) -> Decimal | None:
    if kind in _ONE and not row.text("cantidad"):
        return None
    if kind == "CONTEO":
        return row.decimal("cantidad", minimum=0)
    if kind in _OPPOSITE and row.text("cantidad").startswith("-"):
        value = row.decimal("cantidad")
        if rounded(value):
            return value
    return row.decimal("cantidad", above=0)


def _destination(row: Row, kind: str, branch: str, target: str) -> int | None:
    to = row.integer(target) if row.text(target) else None
    if kind == "TRASLADO":
        if to is None:
            raise row.error(target, _("must have a value"))
        if row.text(branch) and to == row.integer(branch):
            raise row.error(target, _("must be another branch than {branch}").format(branch=branch))
    return to


def _line_amount(row: Row, *, any_sign: bool) -> Decimal | None:
    if not row.text("importe"):
        return None
    return row.decimal("importe", minimum=None if any_sign else 0)


def _amount(row: Row, column: str, kind: str) -> Decimal | None:
    if row.text(column):
        signed = kind == "COSTO_ADICIONAL" and column == "costo_unitario"
        return row.decimal(column, minimum=None if signed else 0)
    if _VALUED_BY[kind] == column and kind not in _MAY_LACK_AMOUNT:
        if kind == "COSTO_ADICIONAL":
            raise row.error(column, _("must be a number, since tipo is {kind}").format(kind=kind))
        raise row.error(
            column, _("must be a number, 0 or more, since tipo is {kind}").format(kind=kind)
        )
    return None
