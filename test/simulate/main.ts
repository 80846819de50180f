import { mkdtempSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installDisk } from './disk.ts';
import { install, real } from './globals.ts';

install();
installDisk();
const { simulate } = await import('./command.ts');
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    first: { type: 'string', default: '1' },
    days: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
process.exitCode = await simulate({
  seeds: values.seed === undefined ? Number(values.seeds) : 1,
  first: Number(values.seed ?? values.first),
  days: Number(values.days),
  trace: values.trace,
  folder: mkdtempSync('/dev/shm/simulate-'),
  cpu: real.cpu,
});
