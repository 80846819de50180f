import { mkdtempSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addSink } from '../toy-sink/add-sink.ts';
import { campaign } from './campaign.ts';
import { installDisk } from './disk.ts';
import { install, real } from './globals.ts';
import type { Hunt } from './mutants.ts';
import { hunt } from './mutants.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    first: { type: 'string', default: '1' },
    days: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
    trace: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    shrink: { type: 'string', default: '0' },
    mutants: { type: 'boolean', default: false },
    within: { type: 'string', default: '50' },
    mutant: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});

if (values.mutants) process.exitCode = hunt(hunted());
else if (Number(values.jobs) > 1) process.exitCode = await shareOut();
else process.exitCode = await run();

function hunted(): Hunt {
  const { days, within, first, mutant: only } = values;
  return { days: Number(days), within: Number(within), first: Number(first), only };
}

async function shareOut(): Promise<number> {
  const { first, seeds, days, jobs, seed, only, trace, stop, shrink } = values;
  if (seed !== undefined || only !== undefined || trace || stop || shrink !== '0') {
    console.error('--seed, --only, --trace, --stop and --shrink are for one process: leave out --jobs');
    return 2;
  }
  return campaign({ first: Number(first), seeds: Number(seeds), days: Number(days), jobs: Number(jobs) });
}

async function run(): Promise<number> {
  install();
  installDisk();
  addSink('echo', new URL('vendors/echo/module.ts', import.meta.url).href);
  // Only now: what it loads must find the virtual clock.
  const { simulate } = await import('./command.ts');
  const folder = mkdtempSync('/dev/shm/simulate-');
  try {
    return await simulate({
      seeds: values.seed === undefined ? Number(values.seeds) : 1,
      first: Number(values.seed ?? values.first),
      days: Number(values.days),
      only: values.only?.split(','),
      trace: values.trace,
      stop: values.stop,
      shrink: Number(values.shrink),
      folder,
      cpu: real.cpu,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
