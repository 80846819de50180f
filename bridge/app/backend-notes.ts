import type { KubeApi } from '../cluster/api.ts';
import type { BackendState, CollectorLog } from '../cluster/collector-log.ts';
import { startCollectorLog } from '../cluster/collector-log.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { iso } from '../lib/clock.ts';
import type { Releases } from '../lib/releases.ts';
import { Incidents } from '../telemetry/incidents.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** How long the page mentions what a backend refused. */
const SHOWN_MS = 24 * 3_600_000;

const BACK = 'a backend takes again what the Collector sends; the Collector kept what came meanwhile';
const BACK_AND_REFUSED = `${BACK}, but for what the backend refused: that is lost there`;

interface Given {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'backendRefused'>;
  readonly pods: readonly string[];
  readonly everyMs?: number;
}

/** Reports to log and metrics what the backends behind the Collector refuse. */
export function startBackendNotes({ logger, metrics, ...given }: Given, releases: Releases): CollectorLog {
  const incidents = new Incidents(logger);
  const log = startCollectorLog({
    ...given,
    onAnswer({ what, exporter, count, why }, pod) {
      if (what === 'refused') {
        metrics.backendRefused(exporter, count);
        const message = 'a backend refused what the Collector had taken; it is lost there';
        incidents.seen(`refused/${pod}/${exporter}`, { exporter, pod, count, why }, message, 'error');
      } else {
        const message = 'a backend does not take what the Collector sends; the Collector keeps it and tries again';
        incidents.seen(awayKey(pod, exporter), { exporter, pod, why }, message);
      }
    },
    onBack({ pod, exporter, awayMs, refused }) {
      const fields = { exporter, pod, seconds: Math.round(awayMs / 1000), ...(refused > 0 && { refused }) };
      incidents.over(awayKey(pod, exporter), fields, refused > 0 ? BACK_AND_REFUSED : BACK);
    },
    onUnread(pod, why) {
      const key = `unread/${pod}`;
      if (why === undefined) incidents.over(key, { pod }, 'the log of the Collector is read again');
      else
        incidents.seen(key, { pod, why }, 'the log of the Collector cannot be read: refusals of a backend stay unseen');
    },
  });
  releases.add(() => log.stop());
  return log;
}

function awayKey(pod: string, exporter: string): string {
  return `away/${pod}/${exporter}`;
}

/** What every page says of the backends behind the Collector: nothing while all is well. */
export function backendNotes(log: Pick<CollectorLog, 'states' | 'forbidden'>, now: Instant): string[] {
  const unread = [...log.forbidden().keys()].map(
    (pod) =>
      `What a backend refuses is not known: the bridge may not read the log of the Collector's pod ${pod}. Grant it the verb get on pods/log of that pod.`,
  );
  return [...log.states().flatMap((state) => notesOf(state, now)), ...unread];
}

function notesOf({ pod, exporter, refused, refusal, away }: BackendState, now: Instant): string[] {
  const notes: string[] = [];
  const backend = `The backend behind the exporter ${exporter} of the Collector's pod ${pod}`;
  if (refusal !== undefined && now - refusal.at < SHOWN_MS)
    notes.push(`${backend} refused ${many(refused)} for good, last at ${iso(refusal.at)}: ${refusal.why}`);
  if (away !== undefined)
    notes.push(
      `${backend} takes nothing since ${iso(away.since)}; the Collector keeps it and tries again: ${away.why}`,
    );
  return notes;
}

function many(count: number): string {
  return count === 0 ? 'something' : count === 1 ? '1 item' : `${count} items`;
}
