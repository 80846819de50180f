import { runText } from '../../bridge/commands/run-text.ts';
import { openReader } from '../../bridge/store/sqlite/open.ts';
import type { Failure } from './checker.ts';
import type { Simulation } from './simulation.ts';

/** What happened to the run of a failure, in the world and in the bridge's own words. */
export function storyOf({ truth, trace, storePath, destinations }: Simulation, { uid = '' }: Failure): string {
  const job = truth.jobs.get(uid);
  if (job === undefined) return '';
  const around = /^\S+ \S+ {2}(bridge|[fp]\d|all is|\S+ (begins|ends))/;
  const own = trace.lines.filter((line) => line.includes(`/${job.name} `) || line.includes(`/${job.name}-`));
  const [first = '', last = ''] = [own[0], own.at(-1)].map((line) => line?.slice(0, 18));
  const lines = trace.lines.filter((line) => {
    const isNear = line.slice(0, 18) >= first && line.slice(0, 18) <= `${last}~`;
    return own.includes(line) || (isNear && around.test(line));
  });
  const heard = destinations.accounts.map(({ host, account }) => `${host} heard\n${account.heard(uid).join('\n')}`);
  const world = `The world\n${lines.slice(0, 200).join('\n')}`;
  return `${world}\n\n${heard.join('\n\n')}\n\nThe bridge explains\n${explain(storePath, uid)}`;
}

function explain(path: string, uid: string): string {
  const reader = openReader(path);
  try {
    const detail = reader.run(uid);
    return detail === undefined ? 'it knows no such run' : runText(detail);
  } finally {
    reader.close();
  }
}
