"""What every document of a real Tryton takes: its buttons, and how its series name them."""

from __future__ import annotations

from typing import Any

from proteus import Model, config
from trytond import __version__
from trytond.exceptions import UserWarning as TrytonWarning

# The button by which a shipment or a production is done; and that of goods for another warehouse,
# which 7.0 does not pack.
OLDEST = __version__.startswith("7.0.")
DONE = "done" if OLDEST else "do"
PACK = () if OLDEST else ("pack",)


def click(record: Any, *buttons: str) -> Any:
    """Press buttons, one after the other, as somebody who says yes to every warning."""
    result = None
    for button in buttons:
        while True:
            try:
                result = record.click(button)
                break
            except TrytonWarning as warning:
                Warned = Model.get("res.user.warning")
                Warned(user=config.get_config().user, name=warning.name, always=True).save()
    return result


def work_for(company: Any) -> None:
    """The user's documents are that company's from now on, and no other's are seen."""
    settings, User = config.get_config(), Model.get("res.user")
    user = User(settings.user)
    if company not in user.companies:
        user.companies.append(Model.get("company.company")(company.id))
    user.company = company
    user.save()
    settings._context = User.get_preferences(True, {})


def split(move: Any, lots: dict[str, int], until: Any = None) -> None:
    """Say of which lots a line is, and how much of each; new ones are good until that day."""
    wizard = click(move, "add_lots_wizard")
    for number, quantity in lots.items():
        line = wizard.form.lots.new(product=move.product)
        line.number, line.quantity = number, quantity
        if until:
            line.shelf_life_expiration_date = until
    wizard.execute("add")


def lot_of(move: Any) -> str | None:
    """The number of a line's lot; None of what has none."""
    return move.lot.number if move.lot else None
