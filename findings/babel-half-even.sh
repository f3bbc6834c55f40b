#!/usr/bin/env bash
# Babel 2.18.0 shows 0.125 as 0.12, where PostgreSQL, and a cash register, round it to 0.13
#
# format_currency of a Decimal looks like the last step before a person, and one would guess
# that it rounds as invoices are rounded, half up. It takes the rounding of Python's decimal
# context instead, which is half even, so that 0.125 goes down and 0.135 goes up: totals that
# SQL has rounded and lines that Babel has rounded differ by a cent in one of two halves. In a
# context of ROUND_HALF_UP it rounds as one had guessed.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" babel==2.18.0

PYTHONPATH=$tmp/lib python3 - >"$tmp/seen" <<'PY'
from decimal import ROUND_HALF_UP, Decimal, localcontext

from babel.numbers import format_currency, format_percent

def shown():
    prices = [format_currency(Decimal(p), "USD", locale="en_US") for p in ("0.125", "0.135", "2.665")]
    return *prices, format_percent(Decimal("0.125"), locale="en_US")

print("as it comes", *shown())
with localcontext() as context:
    context.rounding = ROUND_HALF_UP
    print("half up    ", *shown())
PY

cat >"$tmp/expected" <<'END'
as it comes $0.12 $0.14 $2.66 12%
half up     $0.13 $0.14 $2.67 13%
END
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
