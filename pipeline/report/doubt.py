"""How much of the sales has a cost that is not firm: provisional, or zero."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipeline.base.voice import Voice
from pipeline.report.figures import Figures

_ALL = Decimal(1)


def share(doubtful: Decimal | None, whole: Decimal) -> Decimal:
    """The part of an amount that is doubtful; of what came to nothing, all or none."""
    if not doubtful:
        return Decimal(0)
    return min(doubtful / whole, _ALL) if whole > 0 else _ALL


def of_the_week(figures: Figures) -> Decimal:
    """What was sold so in the last seven days that are over."""
    return sum((row["semana"] for row in figures.lists["dudoso"]), Decimal(0))


def by_category(figures: Figures) -> Mapping[str, Decimal]:
    """What was sold so in the last 30 days that are over."""
    found: dict[str, Decimal] = {}
    for row in figures.lists["dudoso"]:
        found[row["categoria"]] = found.get(row["categoria"], Decimal(0)) + row["mes"]
    return found


def by_product(figures: Figures) -> Mapping[int, Decimal]:
    """What was sold so in this month and the one before."""
    return {row["id_producto"]: row["dos_meses"] for row in figures.lists["dudoso"]}


def doubtful_note(voice: Voice) -> str:
    """What an asterisk means."""
    return voice.gettext(
        "* Part of these sales has no firm cost: goods sold before their receipt was typed in, or "
        "that came in at cost 0. Their margin will change."
    )
