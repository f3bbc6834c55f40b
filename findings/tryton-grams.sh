#!/usr/bin/env bash
# Tryton 8.2.1: 4 g of a product that is kept in kilograms are nothing, however often
#
# A product in kilograms, whose unit has two decimals, is received in grams, as a line of a document may
# be. Typed as 0.004 kg it is refused, since the unit has no such digits. One would guess that
# 4 g are refused too, or are 0.004. They are done, and a move keeps beside what was typed the
# quantity in the product's unit, rounded to its digits, by which stock is summed: each line of 4 g
# is 0.00, and any number of them is no stock, though paid for. 6 g are 0.01 each.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" \
    trytond==8.2.1 trytond-stock==8.2.1 trytond-company==8.2.0 proteus==8.2.0
export PYTHONPATH=$tmp/lib TRYTOND_DATABASE__URI=sqlite:// DB_NAME=:memory:

python3 - <<'PY' | tee "$tmp/seen"
from datetime import date, timedelta
from decimal import Decimal
from unittest.mock import patch

from proteus import Model
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency
from trytond.modules.stock.move import Move
from trytond.tests.tools import activate_modules

# Goods need not be assigned before they leave, as Tryton's own tests of costs have it.
patch.object(Move, "on_change_with_assignation_required", return_value=False).start()
config = activate_modules("stock", create_company)
Product, StockMove = Model.get("product.product"), Model.get("stock.move")
places = {place.code: place for place in Model.get("stock.location").find([])}
supplier, storage = places["SUP"], places["STO"]


def product(unit):
    template = Model.get("product.template")(name="Rice", type="goods", list_price=Decimal(30))
    template.default_uom, = Model.get("product.uom").find([("symbol", "=", unit)])
    template.cost_price_method = "average"
    template.products[0].cost_price = Decimal(0)
    template.save()
    return template.products[0]


def move(product, quantity, source, target, price, unit=None, day=None):
    move = StockMove(product=product, quantity=quantity, from_location=source, to_location=target)
    if unit:
        move.unit, = Model.get("product.uom").find([("symbol", "=", unit)])
    move.effective_date = day or date.today()
    move.unit_price, move.currency = Decimal(price), get_currency()
    move.save()
    move.click("do")
    return move


def said(what):
    with config.set_context(locations=[storage.id]):
        print(f"{what}: {Product(rice.id).quantity:.2f} at {Product(rice.id).cost_price:.2f}")

rice = product("kg")
try:
    move(rice, 0.004, supplier, storage, "2")
except Exception as refused:
    print("0.004 kg:", type(refused).__name__)
for grams in (4, 6):
    for _ in range(5):
        done = move(rice, grams, supplier, storage, "0.002", unit="g")
    print(f"5 lines of {done.quantity:g} g, each {done.internal_quantity:.3f} kg")
    said("stock")
PY

diff - "$tmp/seen" <<'END'
0.004 kg: DigitsValidationError
5 lines of 4 g, each 0.000 kg
stock: 0.00 at 2.00
5 lines of 6 g, each 0.010 kg
stock: 0.05 at 2.00
END
