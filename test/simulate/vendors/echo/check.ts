import type { Failure } from '../../checker.ts';
import type { Heard } from '../../heard.ts';
import { isTaken, mayBeUnknown, missingEvents, withoutRepeats } from '../../heard.ts';
import { checkJobs, cutoffOf } from '../../runs.ts';
import type { Checking } from '../vendor.ts';
import type { EchoAccount, Report } from './account.ts';
import { checkRollouts } from './check-rollouts.ts';

/** What is wrong with what the sink that hears everything has heard. */
export function checkEcho(account: EchoAccount, checking: Checking): Failure[] {
  const { reports } = account;
  const rollouts = new Set(
    [...checking.simulation.truth.workloads.values()].flatMap((one) => one.rollouts.map(({ uid }) => uid)),
  );
  const ofJobs = reports.filter(({ uid }) => !rollouts.has(uid));
  const ofRollouts = reports.filter(({ uid }) => rollouts.has(uid)).map((report) => ({ ...report, said: report.id }));
  // That a Job never started is heard too, and is not the end of a run.
  const runs = ofJobs.filter(({ outcome }) => outcome !== 'never_started');
  return [
    ...checkJobs(checking, runs.map(heardOf), () => undefined),
    ...checkRollouts(checking, ofRollouts),
    ...checkOutcomes(ofJobs, checking),
    ...checkSettled(reports, checking),
    ...checkRows(account, checking),
    ...checkJournal(account, checking),
  ];
}

function heardOf({ heardAt, id, kind, at, outcome, uid }: Report): Heard {
  return { at: heardAt, said: id, uid, state: stateOf(kind, outcome), stamp: at };
}

function stateOf(kind: Report['kind'], outcome: string | null): Heard['state'] {
  if (kind === 'run.settled') return 'other';
  if (kind === 'run.started') return 'run';
  return outcome === 'succeeded' || outcome === 'replaced' ? 'complete' : 'fail';
}

/** An outcome that was read from the object is the true one, not only as good or as bad. */
function checkOutcomes(reports: readonly Report[], { simulation }: Checking): Failure[] {
  return reports.flatMap(({ kind, uid, outcome, inferred, name }) => {
    const job = simulation.truth.jobs.get(uid);
    if (kind !== 'run.ended' || inferred || job?.outcome === undefined || job.outcome === 'replaced') return [];
    return job.outcome === outcome ? [] : [{ what: `${name}: reported ${outcome}, was ${job.outcome}`, uid }];
  });
}

/** Each run whose end was reported settles after it, as what it ended, with everything that was reported in its story. */
function checkSettled(reports: readonly Report[], checking: Checking): Failure[] {
  const failures: Failure[] = [];
  for (const [uid, all] of Map.groupBy(reports, (report) => report.uid)) {
    const fail = (what: string): void => void failures.push({ what: `${all[0]!.name}: ${what}`, uid });
    const own = withoutRepeats(
      checking,
      all.map((report) => ({ ...report, ...heardOf(report) })),
    );
    if (typeof own === 'string') continue; // said before
    const last = own.findLast(({ kind }) => kind === 'run.ended');
    const settled = own.filter(({ kind }) => kind === 'run.settled');
    if (last === undefined) {
      if (settled.length > 0) fail('settled, and no end of it was reported');
      continue;
    }
    const end = settled.at(-1);
    if (last.outcome === 'never_started') continue;
    if (end === undefined) fail('never settled');
    else if (end.outcome !== last.outcome) fail(`settled as ${end.outcome}, ended as ${last.outcome}`);
    else if (new Set(end.story?.pods).size !== end.story?.pods.length) fail('a pod twice in its story');
    else if (!all.every(({ id, kind }) => kind === 'run.settled' || end.story?.transitions.includes(id)))
      fail(`what was reported of it is missing from its story: ${end.story?.transitions.join(' ')}`);
  }
  return failures;
}

/** Each CronJob and workload that was shown has a row; that of one that is deleted is retired. */
function checkRows({ rows }: EchoAccount, { simulation: { truth, shown } }: Checking): Failure[] {
  const failures: Failure[] = [];
  for (const { uid, namespace, name, deletedAt } of [...truth.cronJobs.values(), ...truth.workloads.values()]) {
    const row = rows.get(uid);
    const fail = (what: string): void => void failures.push({ what: `row of ${namespace}/${name} (${uid}): ${what}` });
    if (row === undefined) {
      if (deletedAt === undefined && shown.get(uid) !== undefined) fail('there is none');
    } else if ((row.retired === true) !== (deletedAt !== undefined))
      fail(row.retired ? 'is retired' : 'is not retired');
  }
  return failures;
}

/** In the order of its numbers; again only where the bridge could not know that it was heard; whatever else was reported is in it. */
function checkJournal({ journal, reports }: EchoAccount, checking: Checking): Failure[] {
  const { simulation, tenures } = checking;
  const failures: Failure[] = [];
  const ids = new Map<string, number>();
  let last = 0;
  for (const { entries, heardAt } of journal) {
    const numbers = entries.map(([seq]) => seq);
    if (numbers.some((seq, n) => n > 0 && seq <= numbers[n - 1]!)) failures.push({ what: 'journal out of order' });
    const first = numbers[0]!;
    if (first <= last && !journalTries(simulation, first, heardAt).every((sent) => mayBeUnknown(simulation, sent)))
      failures.push({ what: `journal reported twice: ${first} to ${last}` });
    for (const [seq, id] of entries) {
      const before = ids.get(id);
      if (before !== undefined && before !== seq) failures.push({ what: `twice in the journal: ${id}` });
      ids.set(id, seq);
    }
    last = Math.max(last, numbers.at(-1)!);
  }
  // A run that looked as if it went on is reported from its start; the journal has nothing from before the cut-off.
  const cutoff = cutoffOf(tenures[0]!);
  const missing = reports.filter(({ id, at }) => !ids.has(id) && at >= cutoff);
  return [
    ...failures,
    ...missing.map(({ id, uid }) => ({ what: `not in the journal: ${id}`, uid })),
    ...missingEvents(new Set([...ids.keys()].map((id) => id.split('/')[0]!)), checking),
  ];
}

/** The batches with this number that were taken before. */
function journalTries({ sent }: Checking['simulation'], seq: number, before: number) {
  const tries = sent.filter(
    (one) => one.said.startsWith('[[') && one.sentAt < before && isTaken(one) && includes(one.said, seq),
  );
  return tries.slice(0, -1);
}

function includes(said: string, seq: number): boolean {
  return (JSON.parse(said) as [number, string][]).some(([number]) => number === seq);
}
