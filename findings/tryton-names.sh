#!/usr/bin/env bash
# Tryton 8.2.1: a name that is corrected in English hides the Spanish one, which is still there
#
# Names can be translated. One would guess that a product's name is that of product_template, or the
# translation where there is one. Renamed in Spanish it has the new name in ir_translation alone, and the
# table keeps the first one; so far so good. Once somebody corrects the English name, the
# Spanish one is marked as fuzzy: the row and its value are as they were, and no Spanish user is
# shown it any more. A query that takes the translation shows what Tryton does not.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" \
    trytond==8.2.1 trytond-product==8.2.0 trytond-company==8.2.0 proteus==8.2.0
export PYTHONPATH=$tmp/lib TRYTOND_DATABASE__URI=sqlite:// DB_NAME=:memory:

python3 - <<'PY' | tee "$tmp/seen"
from decimal import Decimal

from proteus import Model
from trytond.modules.company.tests.tools import create_company
from trytond.pool import Pool
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction

config = activate_modules("product", create_company)
spanish, = Model.get("ir.lang").find([("code", "=", "es")])
spanish.translatable = True
spanish.save()
Template, Translation = Model.get("product.template"), Model.get("ir.translation")
unit, = Model.get("product.uom").find([("symbol", "=", "u")])
bread = None


def named(language, name):
    global bread
    with config.set_context(language=language):
        bread = Template(bread.id) if bread else Template(default_uom=unit, list_price=Decimal(1))
        bread.name = name
        bread.save()
        bread = Template(bread.id)
    with Transaction().start(config.database_name, 0) as transaction:
        cursor = transaction.connection.cursor()
        cursor.execute("SELECT name FROM product_template")
        table, = cursor.fetchone()
        cursor.execute(
            "SELECT value, fuzzy FROM ir_translation"
            " WHERE name = 'product.template,name' AND lang = 'es'"
        )
        translation, fuzzy = cursor.fetchone() or (None, False)
    with config.set_context(language="es"):
        shown = Template(bread.id).name
    mark = " (fuzzy)" if fuzzy else ""
    print(f"table: {table}, translation: {translation}{mark}, shown in Spanish: {shown}")


named("en", "Bread")
named("es", "Pan")
named("en", "White bread")
PY

diff - "$tmp/seen" <<'END'
table: Bread, translation: None, shown in Spanish: Bread
table: Bread, translation: Pan, shown in Spanish: Pan
table: White bread, translation: Pan (fuzzy), shown in Spanish: White bread
END
