"""Judges what the bridge sends by what Sentry computes: the packages cronsim and tzdata of PyPI, and nothing of ours.

Each line of standard input is a case, each line of standard output its verdict:

  {"zones": [...], "changes": [[instant, offset], ...]}   every zone has these offsets from each instant on
  {"name", "margin", "zone", "type", "value", "unit", "runs": [...], "near": [[from, to], ...], "sent": {...}, "late": [...]}

`runs` are the minutes of Unix time for which Kubernetes starts the CronJob, the first of them a check-in alone. With each goes what the
check-in for it carries: the schedule as it stands, or what `sent` has for its index: [zone, value, margin]. A check-in comes
5 s after its time. `late` are more check-ins, in the middle: [minute, index of the run after it, zone, value, margin].
Within `near`, cronsim begins again at each check-in, as in Sentry; elsewhere it goes on, which is the same and costs less.
Sentry misses a run `margin` minutes after the time it expects. If that is before the margin of the next real run is over, it is
a false alarm; if later, a run may be missing and nobody hears of it in time.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim

UTC = timezone.utc
UNITS = {"minute": 1, "hour": 60, "day": 1440}
zones = {}


def zone_of(name):
    if name not in zones:
        zones[name] = ZoneInfo(name)
    return zones[name]


def local(seconds, zone):
    return datetime.fromtimestamp(seconds, zone_of(zone))


def minute(instant):
    return int(instant.replace(second=0, microsecond=0).timestamp()) // 60


def expected(seconds, kind, zone, value, unit):
    if kind == "interval":
        return (seconds + value * UNITS[unit] * 60) // 60
    return minute(next(CronSim(value, local(seconds, zone))))


def alarm_of(case, seconds, zone, value, margin):
    kind = case["type"] if value is None else "crontab"
    return expected(seconds, kind, zone, case["value"] if value is None else value, case["unit"]) + margin


def check(case):
    name, margin, kind, zone, value, unit = (case[k] for k in ("name", "margin", "type", "zone", "value", "unit"))
    runs, near, sent = case["runs"], case["near"], case["sent"]
    false, blind, checked, example = 0, 0, 0, None

    def judge(alarm, due, at):
        nonlocal false, blind, checked, example
        checked += 1
        if alarm == due + margin:
            return
        if alarm < due + margin:
            false += 1
        else:
            blind += 1
        example = example or f"check-in {datetime.fromtimestamp(at * 60, UTC)}, run {datetime.fromtimestamp(due * 60, UTC)}, alarm {datetime.fromtimestamp(alarm * 60, UTC)}"

    going, place = None, 0
    for index in range(len(runs) - 1):
        at = runs[index]
        while place < len(near) and near[place][1] < at:
            place += 1
        exact = kind == "interval" or (place < len(near) and near[place][0] <= at)
        own = sent.get(str(index))
        if own is not None:
            going = None
            judge(alarm_of(case, at * 60 + 5, *own), runs[index + 1], at)
        elif exact:
            going = None
            judge(expected(at * 60 + 5, kind, zone, value, unit) + margin, runs[index + 1], at)
        else:
            if going is None:
                going = CronSim(value, local(at * 60 + 5, zone))
            alarm = minute(next(going)) + margin
            judge(alarm, runs[index + 1], at)
            if alarm != runs[index + 1] + margin:
                going = None
    for at, index, zone2, value2, margin2 in case["late"]:
        judge(alarm_of(case, at * 60, zone2, value2, margin2), runs[index], at)
    return {"name": name, "checked": checked, "false": false, "blind": blind, "example": example}


def compare(names, changes):
    different = []
    for name in names:
        for at, offset in changes:
            if local(at, name).utcoffset() != timedelta(seconds=offset):
                different.append(f"{name} at {at}")
                break
    return {"different": different}


for line in sys.stdin:
    case = json.loads(line)
    answer = compare(case["zones"], case["changes"]) if "zones" in case else check(case)
    print(json.dumps(answer), flush=True)
