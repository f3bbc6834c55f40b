#!/usr/bin/env bash
# csvkit 2.2.0: a cable's length of "2m" becomes two minutes, a screw's size "3-4" the 4th of March
#
# A price list is looked at before it is imported. csvstat guesses a type for each column, and
# one would guess that what is no number stays text. But "2m" is an agate TimeDelta (and so
# are 3d and 4w), sizes of two numbers are dates of 2001, and 50% is the number 50, not a
# half. csvjson then writes the guesses, not what the file says; --no-inference keeps it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" csvkit==2.2.0 agate==1.14.2
export PYTHONPATH=$tmp/lib

cat >"$tmp/list.csv" <<'END'
item,length,size,discount
cable,2m,3-4,50%
rope,10m,5-6,5%
END
{
    python3 -m csvkit.utilities.csvjson --stream "$tmp/list.csv"
    python3 -m csvkit.utilities.csvjson --no-inference --stream "$tmp/list.csv"
} | tee "$tmp/seen"

cat >"$tmp/expected" <<'END'
{"item": "cable", "length": "0:02:00", "size": "2001-03-04", "discount": 50.0}
{"item": "rope", "length": "0:10:00", "size": "2001-05-06", "discount": 5.0}
{"item": "cable", "length": "2m", "size": "3-4", "discount": "50%"}
{"item": "rope", "length": "10m", "size": "5-6", "discount": "5%"}
END
diff "$tmp/expected" "$tmp/seen"
