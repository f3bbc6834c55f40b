"""What of closed periods was booked late, in words and for machines."""

from __future__ import annotations

from typing import Any

from pipeline.translation import translated as _

_KEYS = {
    "late": "tarde",
    "corrected": "corregidas",
    "taken_back": "retiradas",
    "value": "valor",
    "net_sales": "venta_neta",
    "cost": "costo",
    "margin": "margen",
}


def for_machines(found: dict[str, Any] | None) -> dict[str, Any]:
    """What etl.resumir_correcciones() gives, or None for nothing, by the keys of --json."""
    return {key: found[name] if found else 0 for key, name in _KEYS.items()}


def in_words(found: dict[str, Any]) -> str:
    """What for_machines() gives, in a line."""
    if not (found["late"] or found["corrected"] or found["taken_back"]):
        return _("nothing")
    return _(
        "{late} late, {corrected} corrected, {taken_back} taken back; "
        "value {value:+,.2f}, margin {margin:+,.2f}"
    ).format(**found)
