import { describe, expect, it } from 'vitest';
import { judge, pythonWithCronsim } from '../../../test/cronsim/oracle.ts';
import { SCHEDULES } from '../../../test/cronsim/schedules.ts';
import { zoneClasses } from '../../../test/cronsim/zones.ts';

const python = pythonWithCronsim();
if ('missing' in python) process.stderr.write(`SKIPPED: what Sentry computes with cronsim: ${python.missing}\n`);

describe('a schedule as Sentry computes it', () => {
  it.skipIf('missing' in python)(
    'expects each run when Kubernetes starts it, on the days when clocks change',
    async () => {
      if ('missing' in python) return;
      const from = Date.UTC(2027, 2, 1);
      const to = Date.UTC(2027, 3, 15);
      const some = new Set(['Europe/Berlin', 'Australia/Lord_Howe', 'America/Havana']);
      const schedules = SCHEDULES.filter((schedule) => !/^\S+5? \* |^\* /.test(schedule));
      const classes = zoneClasses(from, to).filter(({ zones }) => zones.some((zone) => some.has(zone)));
      const verdict = await judge(python, { classes, schedules, from, to });
      expect(verdict).toMatchObject({ falseMissed: 0, blind: 0, differentZones: 0, examples: [] });
      expect(verdict.checked).toBeGreaterThan(5_000);
    },
  );
});
