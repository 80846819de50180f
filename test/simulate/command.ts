import { join } from 'node:path';
import type { Failure } from './checker.ts';
import { check } from './checker.ts';
import type { Plan } from './plan.ts';
import { planOf } from './plan.ts';
import { storyOf } from './report.ts';
import { onlyWith, shrink } from './shrink.ts';
import { Simulation } from './simulation.ts';

export interface SimulateOptions {
  readonly seeds: number;
  readonly first: number;
  readonly days: number;
  /** Parts of the plan that are not left out; all if undefined. */
  readonly only: readonly string[] | undefined;
  readonly trace: boolean;
  /** Whether to end with the first seed that fails. */
  readonly stop: boolean;
  /** Simulations that shrinking a failure may take. */
  readonly shrink: number;
  readonly folder: string;
  readonly cpu: () => NodeJS.CpuUsage;
}

/** Runs the seeds one after the other and prints a line of each. Returns the exit code. */
export async function simulate(options: SimulateOptions): Promise<number> {
  const { seeds, first, days, only, stop, shrink: tries } = options;
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const whole = planOf(String(seed), days);
    const plan = only === undefined ? whole : onlyWith(whole, new Set(only));
    const failures = await runOne(plan, options);
    if (failures.length === 0) continue;
    failed++;
    const again = `npm run simulate -- --seed ${seed} --days ${days}`;
    console.log(`  again: ${again}${only === undefined ? '' : ` --only ${only.join(',')}`}`);
    if (tries > 0) await shrinkOne(plan, failures, options, again);
    if (stop) break;
  }
  console.log(failed === 0 ? `${seeds * days} days without a failure` : `${failed} of ${seeds} seeds failed`);
  return failed === 0 ? 0 : 1;
}

/** One simulation, with its line, and in a failure the story of the first run that it is about. */
async function runOne(plan: Plan, { trace, folder, cpu }: SimulateOptions): Promise<Failure[]> {
  const before = cpu();
  const simulation = new Simulation(plan, join(folder, plan.seed));
  await simulation.run();
  const failures = check(simulation);
  const { user, system } = cpu();
  const seconds = (user + system - before.user - before.system) / 1e6;
  const { truth, faults, lives, sent } = simulation;
  if (trace) process.stdout.write(`${simulation.trace.lines.join('\n')}\n`);
  const counts = [
    `${truth.jobs.size} runs`,
    `${[...truth.workloads.values()].flatMap(({ rollouts }) => rollouts).length} rollouts`,
    `${faults} faults`,
    `${lives.length} lives`,
    `${sent.length} reports`,
  ];
  const result = failures.length === 0 ? 'ok' : `${failures.length} FAILURES`;
  console.log(
    `seed ${plan.seed}: ${plan.days} days, ${counts.join(', ')}, ${seconds.toFixed(1)} CPU s, ` +
      `trace ${simulation.trace.digest()}: ${result}`,
  );
  for (const { what } of failures.slice(0, 10)) console.log(`  ${what}`);
  const shown = failures.find(({ uid }) => uid !== undefined);
  if (shown !== undefined) console.log(storyOf(simulation, shown).replaceAll(/^/gm, '    '));
  simulation.close();
  return failures;
}

async function shrinkOne(
  plan: Plan,
  failures: readonly Failure[],
  { folder, shrink: tries }: SimulateOptions,
  again: string,
): Promise<void> {
  const wanted = shapeOf(failures[0]!);
  const fails = async (fewer: Plan): Promise<boolean> => {
    const simulation = new Simulation(fewer, join(folder, 'shrink'));
    await simulation.run();
    const same = check(simulation).some((failure) => shapeOf(failure) === wanted);
    simulation.close();
    return same;
  };
  const kept = await shrink(plan, fails, tries);
  console.log(`  shorter: ${again} --only ${kept.join(',')}`);
}

/** What of a failure stays when others are left out. */
function shapeOf({ what }: Failure): string {
  return what.replaceAll(/\S*\d\S*/g, '#').replaceAll(/\(.*\)/g, '');
}
