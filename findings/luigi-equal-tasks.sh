#!/usr/bin/env bash
# Luigi 3.8.1: a task that another worker has is left undone, and ends with `:)` and exit code 0
#
# Two shops, each with settings of its own, have their runs at one luigid. To it they are one task:
# family and parameters are equal, and it knows nothing of the folder, the environment or the machine
# that they differ by. One would guess that the second waits for the first, or fails, so that
# `luigi … && report` is safe. But it ends at once, and well: the summary says `:)` above "Did
# not run any tasks", nothing was loaded for that shop, and the report is made of what was there.
# A parameter that names the shop makes them two; [retcode] already_running tells it of true equals.
set -euo pipefail
tmp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" luigi==3.8.1
cd "$tmp"
export PYTHONPATH=$tmp/lib:$tmp PYTHONWARNINGS=ignore

cat >load.py <<'PY'
import os

import luigi

class Load(luigi.Task):
    day = luigi.DateParameter()

    def output(self):
        return luigi.LocalTarget(os.environ["SHOP"] + ".txt")

    def run(self):
        if os.environ["SHOP"] == "north":  # which takes until the other has ended
            open("running", "w").close()
            open("go").close()
        with self.output().open("w") as out:
            out.write("loaded")
PY
mkfifo running go
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >luigi.cfg <<END
[core]
default_scheduler_url=http://127.0.0.1:$port
rpc_retry_attempts=120
rpc_retry_wait=1
END
python3 -c 'import luigi.cmdline; luigi.cmdline.luigid()' --address 127.0.0.1 --port "$port" >luigid.log 2>&1 &

run() {
    local code=0
    echo "$1:"
    SHOP=$1 python3 -m luigi --module load Load --day 2026-11-01 --no-lock 2>"$1.log" || code=$?
    grep -o -e '\* 1 .* successfully' -e 'being run by another worker' \
        -e 'Did not run any tasks' -e 'This progress looks :)' "$1.log"
    echo "exit $code"
}
run north >north &
north=$!
timeout 300 cat running
run south >south
[ -e south.txt ] || echo 'no south.txt' >>south
echo >go
wait $north
cat north south | tee seen
diff - seen <<'END'
north:
* 1 ran successfully
This progress looks :)
exit 0
south:
being run by another worker
Did not run any tasks
This progress looks :)
exit 0
no south.txt
END
