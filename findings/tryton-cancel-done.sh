#!/usr/bin/env bash
# Tryton 7.0.59 and 8.2.1: Cancel of a delivery that is done is heard by 8.2 alone, and 7.0 does not say so
#
# A program takes back deliveries that were made by mistake: it presses Cancel, and 8.2 has the goods
# back. Run on 7.0, the oldest series that is still supported, one would guess that it does so there,
# or ends with an error. But a done shipment cannot be cancelled in 7.0, and a button passes over records
# whose state it is not for, without a word: the click succeeds, and the goods stay sold.
# Only who reads the state again sees it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
install() { # FOLDER PACKAGE…
    python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/$1" "${@:2}"
}
install 7.0 trytond==7.0.59 trytond-stock==7.0.21 trytond-company==7.0.4 proteus==7.0.3
install 8.2 trytond==8.2.1 trytond-stock==8.2.1 trytond-company==8.2.0 proteus==8.2.0
export TRYTOND_DATABASE__URI=sqlite:// DB_NAME=:memory:

cat >"$tmp/cancel.py" <<'PY'
import sys
from decimal import Decimal

from proteus import Model
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency
from trytond.tests.tools import activate_modules

config = activate_modules("stock")
create_company()
(stores,) = Model.get("stock.location").find([("code", "=", "STO")])
template = Model.get("product.template")(name="Rice", type="goods", list_price=Decimal(30))
(template.default_uom,) = Model.get("product.uom").find([("symbol", "=", "u")])
template.save()
(rice,) = template.products
customer = Model.get("party.party")(name="Customer")
customer.save()

shipment = Model.get("stock.shipment.out")(customer=customer)
move = shipment.outgoing_moves.new(product=rice, quantity=3)
move.from_location, move.to_location = shipment.warehouse_output, shipment.customer_location
move.unit_price, move.currency = Decimal(30), get_currency()
shipment.save()
done = "done" if sys.argv[1] == "7.0" else "do"
for button in ("wait", "assign_force", "pick", "pack", done, "cancel"):
    shipment.click(button)
    if button in (done, "cancel"):
        with config.set_context(locations=[stores.id]):
            stock = Model.get("product.product")(rice.id).quantity
        print(f"{sys.argv[1]} after {button!r}: {shipment.state}, stock {stock:.0f}")
PY
for series in 7.0 8.2; do
    PYTHONPATH=$tmp/$series python3 "$tmp/cancel.py" $series 2>"$tmp/log" || { cat "$tmp/log" >&2 && exit 1; }
done | tee "$tmp/seen"
diff - "$tmp/seen" <<'END'
7.0 after 'done': done, stock -3
7.0 after 'cancel': done, stock -3
8.2 after 'do': done, stock -3
8.2 after 'cancel': cancelled, stock 0
END
