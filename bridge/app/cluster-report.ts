import { backendNotes } from './backend-notes.ts';
import type { Auditor } from '../cluster/auditor.ts';
import type { CollectorLog } from '../cluster/collector-log.ts';
import type { CollectorRestart } from '../cluster/collector-restart.ts';
import { restartText } from '../cluster/collector-restart.ts';
import type { LogReader } from '../cluster/logs.ts';
import type { Instant } from '../lib/clock.ts';
import { iso } from '../lib/clock.ts';
import type { ReadStore } from '../store/read.ts';
import type { KindHealth } from '../telemetry/metrics.ts';

/** How long the page mentions a restart. */
const SHOWN_MS = 24 * 3_600_000;

/** The audit's part of /readyz. */
export function auditReport(auditor: Auditor | undefined): object {
  if (auditor === undefined) return { lists: 'off' };
  const [deadWatches, ownWatches] = [[...auditor.deadWatches()], [...auditor.ownWatches()]];
  return { lists: Object.fromEntries(auditor.results()), deadWatches, ownWatches };
}

/** Not a fault of the bridge: it is reported, not judged. */
export function problemReport(reader: ReadStore): object {
  return { objectsWithAnnotationProblems: reader.problemObjects() };
}

interface Cluster {
  readonly auditor: Auditor;
  readonly logs: LogReader;
  readonly restart: CollectorRestart;
  readonly backends: CollectorLog;
}

/** What every page says about what the Kubernetes API lets us see: nothing while all is well. */
export function clusterNotes(cluster: Cluster | undefined, now: Instant): string[] {
  if (cluster === undefined) return [];
  return [
    ...restartNotes(cluster.restart, now),
    ...auditNotes(cluster.auditor),
    ...logNotes(cluster.logs),
    ...backendNotes(cluster.backends, now),
  ];
}

function restartNotes(restart: CollectorRestart, now: Instant): string[] {
  const last = restart.last();
  return last === undefined || now - last.at >= SHOWN_MS
    ? []
    : [`${iso(last.at)}: ${restartText(last.pod, last.outcome)}.`];
}

function auditNotes(auditor: Auditor): string[] {
  const own = auditor.ownWatches();
  const dead = [...auditor.deadWatches()].map((kind) => {
    const until = own.has(kind) ? `the bridge watches ${kind}s itself` : `${kind}s are read every 30 s`;
    return `The watch of ${kind}s is dead: the Collector does not send what is found in the cluster. Look at its log and permissions, or restart it. Until it does, ${until}.`;
  });
  const others = [...auditor.results()].flatMap(([kind, result]) => {
    if (result.result === 'unaudited') {
      return [`${kind}s are not audited: what the watch loses stays lost. ${result.error}`];
    }
    if (result.result !== 'complete' || result.held === 0) return [];
    const text = `${result.held} ${kind}s are missing from a LIST at once: they count as gone only when they are missing from a third LIST too.`;
    return [text];
  });
  return [...dead, ...others];
}

function logNotes(logs: LogReader): string[] {
  const forbidden = [...logs.forbidden()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (forbidden.length === 0) return [];
  const names = forbidden.slice(0, 5).map(([namespace]) => namespace);
  const more = forbidden.length > names.length ? ` and ${forbidden.length - names.length} more namespaces` : '';
  return [
    `Logs of containers in ${names.join(', ')}${more} are not read: the bridge has no permission for pods/log there. Grant it, or set shipLogs: false for every account. Everything else works.`,
  ];
}

/** For the metrics, one for each audited kind. */
export function kindHealth(auditor: Auditor): KindHealth[] {
  const [dead, own] = [auditor.deadWatches(), auditor.ownWatches()];
  const results = auditor.results();
  return auditor.kinds.map((kind) => {
    return {
      kind,
      watchDead: dead.has(kind),
      watchOwn: own.has(kind),
      unaudited: results.get(kind)?.result === 'unaudited',
    };
  });
}
