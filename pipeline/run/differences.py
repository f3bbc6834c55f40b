"""Where the shop's own stock is not ours, in words and for machines.

`found` is what etl.resumir_diferencias() gives.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipeline.base.text_tables import print_table
from pipeline.run.proof import minute
from pipeline.translation import translated as _

_REJECTS = "python -m pipeline rejects"


def for_machines(found: dict[str, Any]) -> dict[str, Any]:
    """The products that differ, and more by the keys of --json; nothing without existencias.sql."""
    booked = found["ajustes"]
    return {
        "diferencias_existencias": int(found["productos"]),
        "stock_compared": found["comparadas"],
        "stock_differences_value": float(found["valor"]),
        "stock_differences_waiting": int(found["en_espera"]),
        "stock_differences": found["mayores"],
        "adjustments": int(booked["ajustes"]),
        "adjusted_products": int(booked["productos"]),
        "adjustments_value": float(booked["valor"]),
        "first_adjusted": booked["desde"],
        "last_adjusted": booked["hasta"],
    }


def in_words(found: dict[str, Any]) -> str:
    """How many, and their worth: more and less, each counted as it is."""
    return _("{products} products, worth {value:,.2f}").format(
        products=int(found["productos"]), value=found["valor"]
    )


def facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """A name and a phrase; none for a shop that does not tell its stock."""
    told = []
    if found["comparadas"]:
        said = _("equal")
        if found["productos"]:
            said = _("differs: {what}").format(what=in_words(found))
        told.append((_("the shop's own stock"), said))
    booked = found["ajustes"]
    if booked["ajustes"]:
        said = _(
            "{adjustments} booked, in no OLTP, of {products} products, worth {value:,.2f} in all; "
            "by windows up to {first} and since, the last up to {last}"
        ).format(
            adjustments=int(booked["ajustes"]),
            products=int(booked["productos"]),
            value=booked["valor"],
            first=minute(booked["desde"]),
            last=minute(booked["hasta"]),
        )
        told.append((_("adjustments"), said))
    return told


def causes(found: dict[str, Any]) -> str:
    """What it is due to, as a rule; what waits as rejects is a known cause."""
    usual = _(
        "Usually due to the stock with which the shop began (`opening`), types out of scope, "
        "rejects, drafts that count in one place only, or documents that movimientos.sql does not "
        "carry."
    )
    if not found["en_espera"]:
        return usual
    waiting = _("{movements} movements of these products wait as rejects: `{command}`.").format(
        movements=int(found["en_espera"]), command=_REJECTS
    )
    return f"{usual} {waiting}"


def show(found: dict[str, Any]) -> None:
    """Print them, if there are any."""
    if not found["productos"]:
        return
    print(
        _("\nstock that is not the shop's: {what}, the dearest first").format(what=in_words(found))
    )
    print(causes(found))
    print_table(
        [
            *(_("product"), _("code"), _("name"), _("branch"), _("ours"), _("the shop's")),
            *(_("difference"), _("value"), _("since"), _("rejects")),
        ],
        [
            [
                *(row[key] for key in ("id_producto", "codigo", "nombre")),
                row["sucursal"] or row["id_sucursal"],
                *(number(row[key]) for key in ("nuestras", "tienda", "diferencia", "valor")),
                minute(row["desde"]),
                row["en_espera"] or None,
            ]
            for row in found["mayores"]
        ],
    )


def name_of(row: dict[str, Any]) -> str:
    """The product of a row: its name, else its code, else its number."""
    return str(row["nombre"] or row["codigo"] or row["id_producto"])


def number(value: Any) -> Decimal | None:
    """A figure of `found` as print_table() writes it."""
    return None if value is None else Decimal(str(value))
