#!/usr/bin/env bash
# Tryton 8.2.1: a receipt that is cancelled and deleted stays in the average, by night and for good
#
# A product valued by moving average, 10 units received at 10 and 10 at 20. The second receipt was a
# mistake: it is done, but whoever may cancel done moves cancels it, and what is cancelled can be
# deleted. One would guess that the average is 10 again, at the latest by the nightly task that computes
# costs anew. The stock is 10 at once, but the task looks for moves with a new price, and there
# is none. The next receipt at 10 is averaged with the wrong 15, and the task, which begins on its
# day, leaves that. So all that was ever received cost 10, and the average is 12.50.
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


rice, before = product("u"), date.today() - timedelta(days=3)
move(rice, 10, supplier, storage, "10", day=before)
mistake = move(rice, 10, supplier, storage, "20", day=before)
night()
said("both receipts")
mistake.click("cancel")
StockMove.delete([mistake])
said("one deleted")
night()
said("a night later")
move(rice, 10, supplier, storage, "10")
night()
said("10 more at 10, and a night")
PY

diff - "$tmp/seen" <<'END'
both receipts: 20.00 at 15.00
one deleted: 10.00 at 15.00
a night later: 10.00 at 15.00
10 more at 10, and a night: 20.00 at 12.50
END
