#!/usr/bin/env bash
# Tryton 8.2.1: what goes back to the supplier changes the average, until the night takes that back
#
# A product valued by moving average, 10 units received at 10 and 10 at 20; 5 go back to the supplier at
# 20. One would guess that a cost is what it is, whoever computes it. When the return is done the
# average is that of what remains, 13.33. The nightly task that computes costs anew takes a return
# for any other move that leaves, which changes no average: in the morning it is 15 again, with
# no document in between. So the cost of a sale hangs on whether it was made before or after a night.
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


def night():
    task = "product.product|recompute_cost_price_from_moves"
    Model.get("ir.cron").find([("method", "=", task)])[0].click("run_once")


rice = product("u")
move(rice, 10, supplier, storage, "10")
move(rice, 10, supplier, storage, "20")
night()
said("received")
move(rice, 5, storage, supplier, "20")
said("5 returned at 20")
night()
said("a night later")
PY

diff - "$tmp/seen" <<'END'
received: 20.00 at 15.00
5 returned at 20: 15.00 at 13.33
a night later: 15.00 at 15.00
END
