"""What tables, columns and types are called, in Spanish and in English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")

# What a name says of a reference beside the table: `id_sucursal_destino` is of a branch.
ROLES = frozenset(
    ["id", "cod", "codigo", "code", "fk", "key", "nro", "uuid", "destino", "origen", "dest",
     "destination", "source", "target", "from", "to", "desde", "hasta", "de", "a", "ref"]
)  # fmt: skip
TO = frozenset(["destino", "dest", "destination", "target", "to", "hasta", "a"])
FROM = frozenset(["origen", "source", "from", "desde", "de"])

# By what a column is, words of its name with their worth; a negative one speaks against it.
COLUMNS: Mapping[str, Mapping[str, int]] = {
    "quantity": {
        "cantidad": 9, "quantity": 9, "qty": 9, "cant": 8, "unidades": 6, "units": 6, "piezas": 5,
        "pieces": 5, "cantidades": 8,
        "min": -9, "minimo": -9, "minima": -9, "max": -9, "maximo": -9, "maxima": -9, "reorder": -9,
        "reservada": -9, "reserved": -9, "allocated": -9, "pendiente": -9, "pending": -9,
        "internal": 1, "returned": -5, "devuelta": -5, "original": -3, "per": -9, "por": -9,
        "previous": -9, "anterior": -9, "invoiced": -4, "shipped": -3, "ordered": -2,
    },
    "level": {
        "existencias": 9, "existencia": 9, "stock": 8, "onhand": 9, "hand": 8, "stocked": 9,
        "saldo": 7, "disponible": 5, "available": 4, "cantidad": 5, "quantity": 5, "qty": 5,
        "min": -12, "minimo": -12, "minima": -12, "max": -12, "maximo": -12, "reserved": -12,
        "allocated": -12, "threshold": -12, "reorder": -12, "incoming": -12, "low": -12,
        "reservada": -12, "ideal": -12,
    },
    "price": {
        "precio": 9, "price": 9, "pvp": 8, "sellprice": 9, "unit": 3, "unitario": 3, "neto": 2,
        "venta": 2, "sale": 2, "sell": 2, "excl": 2, "net": 2, "importe": 1, "valor": 4,
        "cost": -12, "costo": -12, "coste": -12, "compra": -6, "purchase": -6, "list": -3,
        "lista": -3, "old": -4, "total": -6, "line": -6, "before": -5, "incl": -1, "tax": -1,
        "discount": -8, "descuento": -8, "rate": -4, "currency": -9, "original": -2, "id": -9,
    },
    "cost": {
        "costo": 9, "coste": 9, "cost": 9, "unit": 2, "unitario": 2, "compra": 4, "price": 2,
        "center": -12, "centro": -12, "total": -6, "line": -6, "shipping": -9, "flete": -6,
        "list": -5, "id": -9, "currency": -9, "discount": -9,
    },
    "total": {
        "importe": 9, "subtotal": 7, "amount": 7, "total": 6, "line": 2, "price": 3, "excl": 2,
        "neto": 2, "net": 2, "monto": 7, "tax": -1, "incl": -1, "discount": -9, "before": -4,
        "impuesto": -9, "cost": -9, "id": -9, "currency": -9, "unit": -5,
    },
    "moment": {
        "fecha": 9, "date": 8, "momento": 9, "moment": 8, "datetime": 8, "timestamp": 7, "hecho": 8,
        "recibida": 8, "recibido": 8, "received": 8, "placed": 9, "effective": 4, "transdate": 9,
        "occurred": 9, "posted": 6, "ts": 6, "hora": 1, "done": 6, "emision": 2, "created": 4,
        "creado": 4, "creada": 4, "create": 4, "creacion": 4, "alta": 4,
        "update": -9, "updated": -9, "modified": -9, "modificado": -9,
        "write": -9, "due": -9, "vencimiento": -9, "expiry": -9, "expires": -9, "expected": -9,
        "est": -9, "estimated": -9, "planned": -7, "until": -9, "valid": -9, "deleted": -12,
        "cancelled": -12, "canceled": -12, "anulada": -12, "anulado": -12, "birth": -12,
        "delivery": -4, "entrega": -4, "rate": -5,
    },
    "type": {
        "tipo": 9, "type": 9, "clase": 8, "kind": 8, "motivo": 7, "reason": 6, "class": 6,
        "movimiento": 5, "operacion": 5, "operation": 5, "concepto": 5, "movement": 5, "nombre": 1,
        "name": 1, "descripcion": 1,
        "price": -9, "tax": -9, "currency": -9, "payment": -9, "pago": -9, "cliente": -6,
    },
    "state": {"estado": 9, "state": 9, "status": 9, "situacion": 7},
    "number": {
        "numero": 9, "number": 9, "folio": 8, "nro": 8, "documento": 5, "comprobante": 7,
        "reference": 5, "referencia": 5, "invnumber": 9, "serie": 3, "phone": -9, "tax": -9,
        "account": -9, "id": -9,
    },
    "code": {"codigo": 9, "code": 9, "sku": 9, "barcode": 6, "upc": 6, "ean": 6, "partnumber": 9,
             "clave": 5, "tax": -9, "currency": -9},
    "name": {"nombre": 9, "name": 9, "descripcion": 8, "description": 7, "title": 8, "titulo": 8,
             "denominacion": 8, "razon": 4, "file": -9, "meta": -9, "short": -2, "slug": -9,
             "partner": -6, "customer": -6, "cliente": -6, "supplier": -6, "proveedor": -6},
    "category": {"categoria": 9, "category": 9, "rubro": 9, "familia": 8, "family": 8, "grupo": 7,
                 "group": 5, "linea": 5, "department": 6, "departamento": 6},
}  # fmt: skip

# What a flag is called beside: `is_deleted`, `canceled_at`.
FLAG = frozenset(["is", "es", "esta", "was", "at", "en", "fecha", "date", "on", "el", "hora"])
# Of a boolean or a moment: what is void where it is set, and what is where it is not.
VOID = frozenset(
    ["anulada", "anulado", "void", "voided", "cancelada", "cancelado", "cancelled", "canceled",
     "deleted", "eliminada", "eliminado", "borrada", "borrado"]
)  # fmt: skip
GOOD = frozenset(["aprobada", "aprobado", "approved", "posted", "confirmada", "confirmado",
                  "confirmed", "contabilizado"])  # fmt: skip
# Of a state: what is done, and what is not.
DONE = GOOD | frozenset(
    ["hecho", "hecha", "done", "completed", "complete", "completado", "completada", "cerrado",
     "cerrada", "closed", "finalizado", "finalizada", "emitido", "emitida", "paid", "pagado",
     "pagada", "entregado", "entregada", "delivered", "shipped", "despachado", "recibido",
     "recibida", "received", "invoiced", "facturado", "valido", "valida"]
)  # fmt: skip
UNDONE = VOID | frozenset(
    ["rechazado", "rechazada", "rejected", "failed", "draft", "borrador", "quotation",
     "cotizacion", "quote", "assigned", "staging", "reverted"]
)  # fmt: skip
# That a date of one of these is missing says that it has not happened.
EVENTS = frozenset(["recibida", "recibido", "received", "hecho", "hecha", "done", "effective",
                    "completed", "posted", "confirmed", "entregada", "shipped"])  # fmt: skip

# What a table is, by the words of its name.
PRODUCT = ("variant", "variante", "producto", "product", "articulo", "article", "sku", "mercaderia",
           "mercancia", "part", "item", "goods")  # fmt: skip
BRANCH = ("sucursal", "almacen", "tienda", "warehouse", "store", "branch", "deposito", "bodega",
          "local", "location", "ubicacion")  # fmt: skip
PLACE = ("ubicacion", "location", "lugar", "place", *BRANCH)
NO_DOCUMENT = frozenset(
    ["basket", "cart", "carrito", "cotizacion", "quotation", "quote", "presupuesto", "wishlist",
     "template", "plantilla", "bom", "receta", "recipe", "forecast", "pronostico", "history",
     "historial", "log", "audit", "auditoria", "lista", "pricelist", "offer", "oferta",
     "promotion", "voucher", "tax", "impuesto", "reservation", "reserva", "cache", "period",
     "import", "tmp", "temp", "backup", "request", "solicitud", "payment", "pago", "event"]
)  # fmt: skip
# Tables that a line names, and that are neither product nor document.
LINES = frozenset(["line", "linea", "detalle", "detail", "renglon", "order", "venta", "sale",
                   "compra", "purchase", "categoria", "category", "tipo", "type", "class", "clase",
                   "price", "precio", "invoice", "factura", "move", "movimiento", "attribute",
                   "image", "unidad", "unit"])  # fmt: skip
PEOPLE = frozenset(["user", "usuario", "customer", "cliente", "employee", "empleado", "vendedor",
                    "seller", "company", "empresa", "party", "proveedor", "supplier", "person",
                    "session", "currency", "moneda"])  # fmt: skip
LEVELS = frozenset(["existencia", "existencias", "stock", "saldo", "inventory", "inventario",
                    "stockrecord", "level", "nivel", "balance", "onhand"])  # fmt: skip

# Of a place that goods come from or go to.
PLACES: Mapping[str, Sequence[str]] = {
    "own": ("propia", "propio", "interna", "interno", "storage", "internal", "stock", "almacen",
            "tienda", "own"),
    "supplier": ("proveedor", "supplier", "vendor"),
    "customer": ("cliente", "customer"),
    "loss": ("merma", "perdida", "loss", "lost", "inventario", "inventory", "scrap", "ajuste",
             "adjustment", "production", "produccion"),
}  # fmt: skip

# What types are called; the first that has a word of the name is it.
TEN = (
    *("ENTRADA_MERCANCIA", "AJUSTE_ENTRADA", "COSTO_ADICIONAL", "VENTA", "AJUSTE_SALIDA"),
    *("DEVOLUCION_COMPRA", "TRASLADO", "DESCUENTO_VENTA", "DEVOLUCION_VENTA", "CONTEO"),
)
LOSS = ("merma", "loss", "perdida", "scrap", "shrinkage", "rotura", "robo")
ADJUSTMENT, GOES, COMES = "AJUSTE", "SALE", "ENTRA"
_BUYING = frozenset(["compra", "purchase", "proveedor", "supplier", "vendor"])
# A credit note; a sale on credit is a sale.
_NOTE, _CREDIT = frozenset(["nota", "note", "memo"]), frozenset(["credito", "credit"])
_TYPES: Sequence[tuple[str, Sequence[str]]] = (
    ("DEVOLUCION", ("devolucion", "devuelto", "devolver", "return", "refund")),
    ("COSTO_ADICIONAL", ("flete", "freight", "landed")),
    ("DESCUENTO_VENTA", ("descuento", "bonificacion")),
    ("CONTEO", ("conteo", "count", "recuento")),
    ("TRASLADO", ("traslado", "transfer", "transferencia", "traspaso")),
    (ADJUSTMENT, ("ajuste", "adjustment", "inventario", "inventory", "merma", "shrinkage", "loss",
                  "perdida", "scrap", "correction", "correccion", "apertura", "opening")),
    ("ENTRADA_MERCANCIA", ("compra", "purchase", "recepcion", "receipt", "bill")),
    ("VENTA", ("venta", "sale", "factura", "boleta", "ticket", "invoice", "sold", "pos", "v")),
    ("ENTRADA_MERCANCIA", ("c",)),
    (COMES, ("entrada", "ingreso", "in", "entry", "received", "recibido")),
    (GOES, ("salida", "egreso", "out", "issue", "despacho", "shipment")),
)  # fmt: skip


@cache
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def words_of(name: str) -> list[str]:
    """The words that a name is made of, in lower case and without accents or digits."""
    return _WORD.findall(_plain(name))


@cache
def forms(word: str) -> frozenset[str]:
    """A word and what its singular may be: two names mean the same where they share one."""
    said = {word}
    if len(word) > 3 and word.endswith("s"):
        said.add(word[:-1])
        if word.endswith("es"):
            said.add(word[:-2])
        if word.endswith("ies"):
            said.add(f"{word[:-3]}y")
        if word.endswith("ces"):
            said.add(f"{word[:-3]}z")
    return frozenset(said)


def has(words: Iterable[str], some: Iterable[str]) -> bool:
    """Whether one of the words is among `some`, be it in the plural."""
    wanted = frozenset(some)
    return any(forms(word) & wanted for word in words)


def rank(words: Iterable[str], some: Sequence[str]) -> int | None:
    """The place of the first of `some` that is among the words."""
    said = frozenset().union(*(forms(word) for word in words))
    return next((place for place, word in enumerate(some) if word in said), None)


# So much a word must be worth to say it alone: `unit` is said of prices and costs.
_OWN = 4
# When a row was typed, where nothing says when it happened.
_TYPED = frozenset(["created", "create", "creado", "creada", "creacion", "alta"])


def worth(name: str, what: str) -> int:
    """How much a column's name speaks for being `what` of COLUMNS; 0 and less: it is not."""
    values, words = COLUMNS[what], words_of(name)
    sums = [next((values[f] for f in forms(word) if f in values), None) for word in words]
    told = [value for value in sums if value is not None]
    if not told or max(told) < _OWN:
        return 0
    if what == "moment" and min(told) > _OWN - 9 and has(words, _TYPED):
        return 6
    # The more that the name says beside, the less it is just this.
    return 2 * sum(told) - sum(1 for value in sums if value is None)


def type_named(name: str) -> str | None:
    """Which type a word of the shop's is: one of TEN, or what signs must tell; None: it is none."""
    if name in TEN:
        return name
    words = words_of(name)
    exact = "_".join(words).upper()
    if exact in TEN:
        return exact
    found = next((kind for kind, some in _TYPES if has(words, some)), None)
    if has(words, _NOTE) and has(words, _CREDIT):
        found = "DEVOLUCION"
    if found == "DEVOLUCION":
        return "DEVOLUCION_COMPRA" if has(words, _BUYING) else "DEVOLUCION_VENTA"
    return found
