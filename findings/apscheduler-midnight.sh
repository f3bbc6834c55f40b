#!/usr/bin/env bash
# APScheduler 3.11.3: the daily job of midnight is left out on the day after clocks go forward
#
# A crontab "0 0 * * *" in New York, in the week in which clocks go forward at 02:00 on
# Sunday, 8 March 2026. Every one of these days has exactly one midnight, so one would guess
# one run a day, as "30 1 * * *" has. But Monday the 9th has none: from Sunday's midnight the
# trigger looks 24 hours on, which is Monday 01:00, too late for Monday's, and takes Tuesday's.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" apscheduler==3.11.3 tzdata==2026.6

PYTHONPATH=$tmp/lib python3 - >"$tmp/seen" <<'PY'
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

zone = ZoneInfo("America/New_York")
for crontab in ("0 0 * * *", "30 1 * * *"):
    trigger = CronTrigger.from_crontab(crontab, timezone=zone)
    last, now, fires = None, datetime(2026, 3, 7, 12, tzinfo=zone), []
    for _ in range(3):
        last = trigger.get_next_fire_time(last, now)
        fires.append(f"{last:%a %d %H:%M}")
        now = last + timedelta(seconds=1)
    print(crontab, "->", ", ".join(fires))
PY

cat >"$tmp/expected" <<'END'
0 0 * * * -> Sun 08 00:00, Tue 10 00:00, Wed 11 00:00
30 1 * * * -> Sun 08 01:30, Mon 09 01:30, Tue 10 01:30
END
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
