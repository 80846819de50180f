import type { Auditor } from './cluster/auditor.ts';
import { LISTED } from './cluster/list.ts';
import type { ReadStore } from './store/read.ts';
import type { KindHealth } from './telemetry/metrics.ts';

/** The audit's part of /readyz. */
export function auditReport(auditor: Auditor | undefined): object {
  if (auditor === undefined) return { lists: 'off' };
  return { lists: Object.fromEntries(auditor.results()), deadWatches: [...auditor.deadWatches()] };
}

/** No fault of the bridge: it is reported, not judged. */
export function problemReport(reader: ReadStore): object {
  return { cronJobsWithAnnotationProblems: reader.problemCronJobs() };
}

/** What every page says about the audit: nothing while all is well. */
export function auditNotes(auditor: Auditor | undefined): string[] {
  if (auditor === undefined) return [];
  const dead = [...auditor.deadWatches()].map(
    (kind) =>
      `The watch of ${kind}s is dead: the Collector does not send what is found in the cluster. Look at its log and permissions. Until it does, ${kind}s are read every 30 s.`,
  );
  const others = [...auditor.results()].flatMap(([kind, result]) => {
    if (result.result === 'unaudited') {
      return [`${kind}s are not audited: what the watch loses stays lost. ${result.error}`];
    }
    if (result.result !== 'complete' || result.held === 0) return [];
    const text = `${result.held} ${kind}s are lacking at once: a third LIST decides whether they are gone.`;
    return [text];
  });
  return [...dead, ...others];
}

/** For the metrics, one for each audited kind. */
export function kindHealth(auditor: Auditor): KindHealth[] {
  const dead = auditor.deadWatches();
  const results = auditor.results();
  return LISTED.map(({ kind }) => {
    return { kind, watchDead: dead.has(kind), unaudited: results.get(kind)?.result === 'unaudited' };
  });
}
