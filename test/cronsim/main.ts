import { readSchedule } from '../../bridge/sinks/sentry/schedule.ts';
import { judge, pythonWithCronsim } from './oracle.ts';
import { SCHEDULES } from './schedules.ts';
import { zoneClasses } from './zones.ts';

// node test/cronsim/main.ts [FIRST_YEAR [LAST_YEAR]]: every zone, every schedule; some minutes for a year.
const [first = '2027', last = '2031'] = process.argv.slice(2);
const from = Date.UTC(Number(first), 0, 1);
const to = Date.UTC(Number(last) + 1, 0, 1);
const python = pythonWithCronsim();
if ('missing' in python) {
  process.stderr.write(`error: ${python.missing}\n  next: install Python 3.9 or later with pip\n`);
  process.exit(1);
}
const classes = zoneClasses(from, to);
const zones = classes.reduce((sum, one) => sum + one.zones.length, 0);
const refused = SCHEDULES.filter((schedule) => 'refused' in readSchedule({ schedule }));
process.stdout.write(
  `${zones} zones in ${classes.length} classes, ${SCHEDULES.length} schedules, ${refused.length} of them refused, ${first} to ${last}\n`,
);
const began = performance.now();
const verdict = await judge(
  python,
  { classes, schedules: SCHEDULES, from, to },
  (done, { checked, falseMissed, blind }) => {
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stdout.write(
      `${done}/${classes.length}: ${checked} check-ins, ${falseMissed} false missed, ${blind} blind runs (${seconds} s)\n`,
    );
  },
);
process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n`);
process.exitCode = verdict.falseMissed + verdict.blind + verdict.differentZones === 0 ? 0 : 1;
