#!/usr/bin/env bash
# Luigi 3.8.1: luigi.cmdline.luigi_run() runs the command line of when luigi.cmdline was imported
#
# A program that starts Luigi within its own process sets sys.argv and calls the function
# behind the `luigi` script. One would guess that sys.argv is read when it is called; it is the
# default of an argument, bound at import, so that a task chosen later is not the one that runs.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" luigi==3.8.1

cat >"$tmp/chosen.py" <<'PY'
import luigi

class First(luigi.Task):
    def run(self):
        print("ran First")

class Second(luigi.Task):
    def run(self):
        print("ran Second")
PY
cat >"$tmp/start.py" <<'PY'
import sys

options = ["--module", "chosen", "--local-scheduler", "--no-lock", "--log-level", "CRITICAL"]
sys.argv = ["luigi", "First", *options]
from luigi.cmdline import luigi_run

sys.argv = ["luigi", "Second", *options]
try:
    luigi_run()
except SystemExit as ended:
    print("exit", ended.code)
PY
cd "$tmp"
PYTHONPATH=$tmp/lib:$tmp python3 start.py 2>/dev/null | tee seen
diff <(printf 'ran First\nexit 0\n') seen
