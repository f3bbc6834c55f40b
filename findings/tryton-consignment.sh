#!/usr/bin/env bash
# Tryton 8.2.1: what a supplier keeps in one's storage, and nobody bought, is in the value of the stock
#
# The shop has bought 10 jars at 5; the supplier has brought 30 more on consignment, which lie in a
# location of type supplier within the shop's storage, as the module stock_consignment has it. One would
# guess that the shop has 10 jars, worth 50: its average cost is reckoned by those 10 alone. The product's
# own page says 40 jars, and a cost value of 200, of which three quarters are the supplier's: it adds up
# all that lies below the warehouse, whatever the type of the location, and multiplies it by the average.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" \
    trytond==8.2.1 proteus==8.2.0 trytond-stock-consignment==8.2.0 trytond-stock==8.2.1 \
    trytond-account==8.2.1 trytond-account-invoice==8.2.0 trytond-account-invoice-line-standalone==8.2.0 \
    trytond-account-invoice-stock==8.2.0 trytond-account-product==8.2.0 trytond-company==8.2.0 \
    trytond-currency==8.2.0 trytond-party==8.2.0 trytond-product==8.2.0 trytond-purchase==8.2.0 \
    trytond-sale==8.2.0
export PYTHONPATH=$tmp/lib TRYTOND_DATABASE__URI=sqlite:// DB_NAME=:memory:

python3 - <<'PY' | tee "$tmp/seen"
from datetime import date
from decimal import Decimal
from unittest.mock import patch

from proteus import Model
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency
from trytond.modules.stock.move import Move
from trytond.tests.tools import activate_modules

# Moves need no document that they are of, for short.
patch.object(Move, "check_origin").start()
config = activate_modules("stock_consignment", create_company)
Product, StockMove = Model.get("product.product"), Model.get("stock.move")
Location = Model.get("stock.location")
places = {place.code: place for place in Location.find([])}
supplier = Model.get("party.party")(name="Supplier")
supplier.save()
theirs = Location(name="Supplier's own", type="supplier", parent=places["STO"])
theirs.consignment_party = supplier
theirs.save()
template = Model.get("product.template")(name="Honey", type="goods", list_price=Decimal(9))
(template.default_uom,) = Model.get("product.uom").find([("name", "=", "Unit")])
template.cost_price_method = "average"
template.save()
(honey,) = template.products


def move(quantity, source, target, price=None):
    move = StockMove(product=honey, quantity=quantity, from_location=source, to_location=target)
    move.effective_date = date.today()
    if price:
        move.unit_price, move.currency = Decimal(price), get_currency()
    move.save()
    move.click("do")


def said(what):
    with config.set_context(locations=[places["WH"].id]):
        now = Product(honey.id)
        print(f"{what}: {now.quantity:.0f} at {now.cost_price:.2f}, worth {now.cost_value:.2f}")


move(10, places["SUP"], places["STO"], "5")
said("10 bought")
move(30, places["SUP"], theirs)
said("30 of the supplier's own beside them")
PY

diff - "$tmp/seen" <<'END'
10 bought: 10 at 5.00, worth 50.00
30 of the supplier's own beside them: 40 at 5.00, worth 200.00
END
