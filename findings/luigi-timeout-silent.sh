#!/usr/bin/env bash
# Luigi 3.8.1: a task that times out has failed, and neither FAILURE, on_failure nor `finally` is told
#
# Whoever sends a notice of what fails listens to Event.FAILURE, and cleans up in `finally`. One
# would guess that a task beyond its worker_timeout comes by there, as one that raises does:
# the summary counts both as failed. But its process is killed from outside: the only sign is
# Event.TIMEOUT, a kind of its own, in the parent. A notice must listen to both.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" luigi==3.8.1

cat >"$tmp/ends.py" <<'PY'
import threading

import luigi

class Noted(luigi.Task):
    def on_failure(self, exception):
        print("on_failure", flush=True)
        return ""

    def run(self):
        try:
            self.end()
        finally:
            print("finally", flush=True)

class Raises(Noted):
    def end(self):
        raise ValueError

class TakesTooLong(Noted):
    worker_timeout = 1

    def end(self):
        threading.Event().wait(60)

for name in ("FAILURE", "TIMEOUT", "PROCESS_FAILURE", "BROKEN_TASK"):
    event = getattr(luigi.Event, name)
    Noted.event_handler(event)(lambda *_, name=name: print("event", name, flush=True))
PY
cd "$tmp"
export PYTHONPATH=$tmp/lib:$tmp
for task in Raises TakesTooLong; do
    echo "$task:"
    python3 -m luigi --module ends "$task" --local-scheduler --no-lock --workers 2 2>err | uniq
    grep -o '\* 1 failed' err
done | tee seen
diff - seen <<'END'
Raises:
finally
event FAILURE
on_failure
* 1 failed
TakesTooLong:
event TIMEOUT
* 1 failed
END
