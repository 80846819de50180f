import { join } from 'node:path';
import { check } from './checker.ts';
import { planOf } from './plan.ts';
import { Simulation } from './simulation.ts';

export interface SimulateOptions {
  readonly seeds: number;
  readonly first: number;
  readonly days: number;
  readonly trace: boolean;
  readonly folder: string;
  readonly cpu: () => NodeJS.CpuUsage;
}

/** Runs the seeds one after the other and prints a line of each. Returns the exit code. */
export async function simulate({ seeds, first, days, trace, folder, cpu }: SimulateOptions): Promise<number> {
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const before = cpu();
    const simulation = new Simulation(planOf(String(seed), days), join(folder, String(seed)), trace);
    await simulation.run();
    const failures = check(simulation);
    const { user, system } = cpu();
    const seconds = (user + system - before.user - before.system) / 1e6;
    const { truth, faults, lives, scheduler } = simulation;
    if (trace) process.stdout.write(`${simulation.trace.lines.join('\n')}\n`);
    console.log(
      `seed ${seed}: ${days} days, ${truth.jobs.size} runs, ${faults} faults, ${lives.length} lives, ` +
        `${simulation.cronitor.pings.length} pings, ${scheduler.happened} events, ${seconds.toFixed(1)} CPU s, ` +
        `trace ${simulation.trace.digest()}: ${failures.length === 0 ? 'ok' : `${failures.length} FAILURES`}`,
    );
    for (const { what } of failures.slice(0, 20)) console.log(`  ${what}`);
    if (failures.length > 0) console.log(`  again: npm run simulate -- --seed ${seed} --days ${days} --trace`);
    failed += failures.length;
    simulation.close();
  }
  return failed === 0 ? 0 : 1;
}
