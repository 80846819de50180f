import type { Tracer } from '@opentelemetry/api';
import { startBackendNotes } from './backend-notes.ts';
import { kindHealth } from './cluster-report.ts';
import type { KubeApi } from '../cluster/api.ts';
import type { Auditor } from '../cluster/auditor.ts';
import { startAuditor } from '../cluster/auditor.ts';
import type { CollectorLog } from '../cluster/collector-log.ts';
import type { CollectorRestart } from '../cluster/collector-restart.ts';
import { startCollectorRestart } from '../cluster/collector-restart.ts';
import type { LogReader } from '../cluster/logs.ts';
import { startLogReader } from '../cluster/logs.ts';
import type { EventWriter } from '../cluster/write/event-writer.ts';
import { startEventWriter } from '../cluster/write/event-writer.ts';
import type { EventResult } from '../cluster/write/post-event.ts';
import { otherCluster, ownNamespace, readIdentity } from '../cluster/identity.ts';
import type { Config } from '../config/schema.ts';
import { followedKinds } from '../config/watch.ts';
import type { WorkerClient } from '../ingest/thread/client.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { pageLink } from '../lib/page-link.ts';
import type { Releases } from '../lib/releases.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Reporter } from '../telemetry/reporter.ts';

/** The Kubernetes API may be away at the start: then it is asked for its identity later. */
const IDENTITY_MS = 5_000;

export interface ClusterRooms {
  readonly auditor: Auditor;
  readonly logs: LogReader;
  readonly restart: CollectorRestart;
  readonly backends: CollectorLog;
  /** Who writes Kubernetes Events. */
  readonly events: EventWriter | undefined;
}

interface Asked {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly store: WorkerClient['calls'];
  readonly isOurs: (signal: AbortSignal) => Promise<boolean>;
}

interface Listeners {
  readonly metrics: Metrics;
  readonly reporter: Reporter;
  /** When an export was refused for its token last. */
  readonly refusedAt: () => Instant | undefined;
}

interface Started {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
}

/** What asks the Kubernetes API, unless the bridge runs without. Throws a UserError for a store of another cluster. */
export async function startCluster(
  { config, clock, logger, tracer }: Started,
  api: KubeApi | undefined,
  { calls }: WorkerClient,
  listeners: Listeners & { readonly fail: (error: Error) => void },
  releases: Releases,
): Promise<ClusterRooms | undefined> {
  if (api === undefined) return undefined;
  const { metrics, reporter, fail } = listeners;
  const belongs = (signal: AbortSignal) => belongsTo(api, calls, config.store.path, signal);
  const belongsAtStart = await belongs(AbortSignal.timeout(IDENTITY_MS));
  const isOurs = async (signal: AbortSignal) =>
    belongsAtStart || (await belongs(signal).catch((error: unknown) => refuse(error, fail)));
  const asked: Asked = { api, clock, store: calls, isOurs };
  const restart = startRestart(config, asked, listeners, releases);
  const auditor = startAudit(config, { ...asked, tracer }, listeners, restart, releases);
  const link = pageLink(config.web.publicUrl, 'problems');
  const events = config.cluster.events ? startEvents(asked, reporter, link, releases) : undefined;
  const logs = startLogReader({
    ...asked,
    limits: config.logs,
    onRead: (log, answer) => reporter.logRead(log, answer),
    onError: (error) => reporter.logsFailed(error),
  });
  releases.add(() => logs.stop());
  metrics.observeLogs(() => logs.forbidden().size);
  const backends = startBackendNotes({ api, clock, logger, metrics, pods: config.cluster.collectorLogs }, releases);
  return { auditor, logs, restart, backends, events };
}

function startEvents(asked: Asked, reporter: Reporter, link: string | undefined, releases: Releases): EventWriter {
  const onResult = (result: EventResult) => reporter.eventWritten(result);
  const onError = (error: unknown) => reporter.eventsFailed(error);
  const writer = startEventWriter({ ...asked, onResult, onError, link });
  releases.add(() => writer.stop());
  return writer;
}

/** What a Collector with a wrong token has seen waits in its queue: a restart would not help. */
const EXCUSED_MS = 10 * 60_000;
const EXCUSE = 'exports are refused for their token: what is missing waits in the queue of the Collector';

function startRestart({ cluster }: Config, asked: Asked, listeners: Listeners, releases: Releases): CollectorRestart {
  const { reporter, refusedAt } = listeners;
  const restart = startCollectorRestart({
    ...asked,
    pods: cluster.collectorPods,
    events: cluster.events,
    excuse: () => (asked.clock.now() - (refusedAt() ?? -Infinity) < EXCUSED_MS ? EXCUSE : undefined),
    onRestarted: (restarted) => reporter.collectorRestarted(restarted),
    onExcused: (why) => reporter.collectorExcused(why),
    onError: (error) => reporter.auditFailed(error),
  });
  releases.add(() => restart.stop());
  return restart;
}

function startAudit(
  config: Config,
  asked: Asked & { readonly tracer: Tracer | undefined },
  { metrics, reporter }: Listeners,
  restart: CollectorRestart,
  releases: Releases,
): Auditor {
  const { cluster } = config;
  const auditor = startAuditor({
    ...asked,
    scope: cluster.scope,
    kinds: followedKinds(config),
    intervalMs: cluster.audit.interval,
    onResult: (kind, result) => reporter.audited(kind, result),
    onWarnings: (result) => reporter.warningsListed(result),
    onWatch(kind, isDead) {
      reporter.watch(kind, isDead);
      restart.watch(kind, isDead);
    },
    onOwnWatch: (kind, state) => reporter.ownWatch(kind, state),
    onError: (error) => reporter.auditFailed(error),
  });
  releases.add(() => auditor.stop());
  metrics.observeAudit(() => kindHealth(auditor));
  return auditor;
}

/** False when it is not known yet, because the API does not answer. Throws a UserError for another cluster. */
async function belongsTo(
  api: KubeApi,
  calls: WorkerClient['calls'],
  storePath: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { identity, complete } = await readIdentity(api, ownNamespace(), signal);
  const match = await calls.identify(identity);
  if (match === 'other' && complete) throw otherCluster(api.server, storePath);
  return complete || match === 'same';
}

/** The store of another cluster must not be written: the bridge stops. */
function refuse(error: unknown, fail: (error: Error) => void): false {
  if (!(error instanceof UserError)) throw error;
  fail(error);
  return false;
}
