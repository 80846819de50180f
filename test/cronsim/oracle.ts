import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Python } from '../harness/python.ts';
import { pythonWith } from '../harness/python.ts';
import { casesOf } from './cases.ts';
import type { ZoneClass } from './zones.ts';

const SCRIPT = fileURLToPath(new URL('oracle.py', import.meta.url));

/** Python with cronsim, and with the time zones of the release of the IANA database that the runtime has. */
export function pythonWithCronsim(): Python {
  const { tz = '' } = process.versions;
  // 2026c is the third of its year.
  const release = tz.slice(4).charCodeAt(0) - 'a'.charCodeAt(0) + 1;
  return pythonWith('cronsim==2.8', `tzdata==${tz.slice(0, 4)}.${release}`);
}

export interface Verdict {
  /** Check-ins that were looked at. */
  readonly checked: number;
  /** Runs that Sentry would call missed although Kubernetes had none, or none yet. */
  readonly falseMissed: number;
  /** Runs that could be missing without an alarm in time. */
  readonly blind: number;
  /** Zones whose offsets Python has otherwise. */
  readonly differentZones: number;
  readonly examples: readonly string[];
}

export interface Plan {
  readonly classes: readonly ZoneClass[];
  readonly schedules: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** Has cronsim judge every check-in of every schedule in every class of zones. */
export async function judge(
  python: Extract<Python, { command: string }>,
  { classes, schedules, from, to }: Plan,
  onZone: (done: number, verdict: Verdict) => void = () => undefined,
): Promise<Verdict> {
  // Without a path Python takes the zones of its package, not those of the system.
  const env = { ...python.env, PYTHONTZPATH: '' };
  const child = spawn(python.command, [SCRIPT], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: object): Promise<Answer> => {
    if (!child.stdin.write(`${JSON.stringify(line)}\n`)) await once(child.stdin, 'drain');
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the oracle ended: see its error above');
    return JSON.parse(value) as Answer;
  };
  let verdict: Verdict = { checked: 0, falseMissed: 0, blind: 0, differentZones: 0, examples: [] };
  for (const [index, one] of classes.entries()) {
    verdict = added(verdict, await ask(one));
    for (const schedule of schedules)
      for (const each of casesOf(schedule, one, { from, to })) verdict = added(verdict, await ask(each));
    onZone(index + 1, verdict);
  }
  child.stdin.end();
  return verdict;
}

interface Answer {
  readonly name?: string;
  readonly checked?: number;
  readonly false?: number;
  readonly blind?: number;
  readonly example?: string | null;
  readonly different?: readonly string[];
}

function added(sum: Verdict, answer: Answer): Verdict {
  const { different = [] } = answer;
  const example = answer.example ? [`${answer.name}: ${answer.example}`] : [];
  return {
    checked: sum.checked + (answer.checked ?? 0),
    falseMissed: sum.falseMissed + (answer.false ?? 0),
    blind: sum.blind + (answer.blind ?? 0),
    differentZones: sum.differentZones + different.length,
    examples: [...sum.examples, ...different, ...example].slice(0, 20),
  };
}
