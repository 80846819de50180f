import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Seeds {
  readonly first: number;
  readonly seeds: number;
}

export interface CampaignOptions extends Seeds {
  readonly jobs: number;
  readonly days: number;
}

/** Blocks for each process: one that is slow leaves the rest of its share to others, and each loads the code a few times only. */
const BLOCKS = 4;

const LINE =
  /^seed (?<seed>\d+): .*, (?<runs>\d+) runs, .*, (?<faults>\d+) faults, .*, (?<cpu>[\d.]+) CPU s, .*: (?<result>ok|\d+ F.*)$/;

/** The seeds in several processes at a time; what they print, then all of it in a table. Returns the exit code. */
export async function campaign({ first, seeds, jobs, days }: CampaignOptions): Promise<number> {
  const size = Math.ceil(seeds / jobs / BLOCKS);
  const blocks = Array.from({ length: Math.ceil(seeds / size) }, (_, n) => first + n * size);
  const lines: string[] = [];
  const work = async (): Promise<void> => {
    for (let from = blocks.shift(); from !== undefined; from = blocks.shift())
      await simulateBlock({ first: from, seeds: Math.min(size, first + seeds - from) }, days, lines);
  };
  await Promise.all(Array.from({ length: jobs }, work));
  const { table, again } = summaryOf(lines, { first, seeds }, days);
  console.log([...table, ...again].join('\n'));
  return again.length === 0 ? 0 : 1;
}

async function simulateBlock({ first, seeds }: Seeds, days: number, lines: string[]): Promise<void> {
  const args = ['--first', String(first), '--seeds', String(seeds), '--days', String(days)];
  const child = spawn(process.execPath, [process.argv[1]!, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    console.log(line);
  }
}

/** What a campaign found: a table, and the line that repeats each seed that failed or gave no result at all. */
export function summaryOf(
  lines: readonly string[],
  { first, seeds }: Seeds,
  days: number,
): { readonly table: readonly string[]; readonly again: readonly string[] } {
  const results = lines.map((line) => LINE.exec(line)?.groups).filter((groups) => groups !== undefined);
  const sum = (of: 'runs' | 'faults' | 'cpu'): number => results.reduce((all, result) => all + Number(result[of]), 0);
  const fine = new Set(results.filter(({ result }) => result === 'ok').map(({ seed }) => Number(seed)));
  const failed = Array.from({ length: seeds }, (_, n) => first + n).filter((seed) => !fine.has(seed));
  const done = results.length * days;
  const cpu = sum('cpu');
  const row = [
    `${first} to ${first + seeds - 1}`,
    done,
    sum('runs'),
    sum('faults'),
    cpu.toFixed(0),
    (cpu / done).toFixed(1),
    ((3_600 * done) / cpu).toFixed(0),
    failed.join(', ') || 'none',
  ];
  const table = [
    '| seeds | days | runs | faults | CPU s | CPU s a day | days per CPU hour | failed |',
    '|---|---|---|---|---|---|---|---|',
    `| ${row.join(' | ')} |`,
  ];
  return { table, again: failed.map((seed) => `again: npm run simulate -- --seed ${seed} --days ${days}`) };
}
