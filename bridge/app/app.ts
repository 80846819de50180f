import type { Tracer } from '@opentelemetry/api';
import type { KubeApi } from '../cluster/api.ts';
import { connectKube, kubeOf } from '../cluster/api.ts';
import { auditReport, problemReport } from './cluster-report.ts';
import type { Config } from '../config/schema.ts';
import { followClock } from '../lib/follow-clock.ts';
import type { WorkerClient } from '../ingest/thread/client.ts';
import { startWorker } from '../ingest/thread/client.ts';
import type { Committed, Ticked } from '../ingest/thread/protocol.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { Releases } from '../lib/releases.ts';
import { VERSION } from '../lib/version.ts';
import { createOperations, currentRetirement } from '../control/operations.ts';
import { startLocalServer } from '../control/server.ts';
import type { Ingest } from '../otlp/receive/ingest.ts';
import type { OtlpServer } from '../otlp/receive/server.ts';
import { startOtlpServer } from '../otlp/receive/server.ts';
import type { Dispatcher } from '../outbox/dispatcher.ts';
import { startDispatcher } from '../outbox/dispatcher.ts';
import { createHttp } from '../sinks/http.ts';
import { createDeliverers, depsOf, runLinks } from '../sinks/index.ts';
import type { ConfiguredDeliverer } from '../sinks/sink.ts';
import { otherMetricsText } from '../sinks/other-metrics.ts';
import type { ReadStore } from '../store/read.ts';
import type { StoreState } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { tracedDeliverer, tracedIngest } from '../telemetry/own-spans.ts';
import { Reporter } from '../telemetry/reporter.ts';
import { createReadiness } from '../web/readiness.ts';
import { notesOf, openReads } from './open-reads.ts';
import { startCluster } from './cluster.ts';
import { startHeartbeats } from './heartbeats.ts';
import type { Ticking } from './ticking.ts';
import { startTicking, watchStore } from './ticking.ts';
import type { Wake } from './wakes.ts';
import { HeldWake, wakeOf } from './wakes.ts';
import { Live } from '../web/live.ts';
import { webWithToken } from '../web/made-token.ts';
import { startWeb } from '../web/server.ts';

export interface AppOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When the store's cut-offs are set from, if this is their first start; default now. */
  readonly startedAt?: Instant;
  /** Whether scheduled times without a Job are judged as missed; default true. */
  readonly scheduleTimers?: boolean;
  /** Ms that a stop in order may take; default 22 s, which is less than Kubernetes waits. */
  readonly stopMs?: number;
  /** Gets spans of the bridge itself. */
  readonly tracer?: Tracer | undefined;
}

export interface App {
  readonly otlpPort: number;
  readonly webPort: number;
  readonly reader: ReadStore;
  /** Fulfilled when a part that the bridge cannot live without has ended. */
  readonly failed: Promise<Error>;
  /**
   * Takes no more, finishes what is in work, closes the store. False when a thread that did not answer had to be ended by
   * force: what it had committed is kept.
   */
  stop(): Promise<boolean>;
}

const DRAIN_MS = 10_000;
const DELIVERY_GRACE_MS = 5_000;
const STOP_MS = 22_000;

/** Starts every room in order; when one cannot start, those before it are stopped. Throws UserErrors. */
export async function startApp(options: AppOptions): Promise<App> {
  const releases = new Releases();
  const { logger, stopMs = STOP_MS } = options;
  const failed = (error: unknown): void =>
    logger.error({ error: errorText(error) }, 'a part of the bridge failed while stopping');
  const stop = async (): Promise<boolean> => !(await releases.releaseWithin(stopMs, failed));
  try {
    return { ...(await startParts({ startedAt: options.clock.now(), ...options }, releases)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: AppOptions, releases: Releases): Promise<Omit<App, 'stop'>> {
  const { clock, logger } = options;
  const metrics = createMetrics({ version: VERSION, clock });
  releases.add(() => metrics.close());
  const [reporter, live] = [new Reporter(metrics, logger), new Live()];
  const { worker, ingest, failed, fail, onWake, state } = await startStore(options, reporter, live, releases);
  const { api, deliverers } = await openDestinations(options, releases);
  metrics.observeOthers(() => otherMetricsText(deliverers.flatMap((one) => one.otherMetrics?.() ?? [])));
  const reader = openReads(options, metrics, releases);
  let otlp: OtlpServer | undefined;
  const listeners = { metrics, reporter, fail, refusedAt: () => otlp?.unauthorizedAt() };
  const cluster = await startCluster(options, api, worker, listeners, releases);
  const { auditor } = cluster ?? {};
  const web = await startWeb({
    ...webOf(options),
    reader,
    metrics,
    readiness: createReadiness(
      worker.calls.probe,
      () => ({ ...auditReport(auditor), ...problemReport(reader), store: state(), otlp: otlp?.report() ?? 'starting' }),
      () => notesOf(options, { recovery: worker.recovery, state: state(), reader, cluster, otlp }),
      () => reporter.storeFails || worker.silentSeconds() > 0,
    ),
    retirement: () => currentRetirement(reader, deliverers),
    live,
    silentSeconds: () => worker.silentSeconds(),
  });
  releases.add(() => web.close());
  const dispatcher = startOutbox(options, worker, deliverers, reporter, live, releases);
  onWake(wakeOf(dispatcher, cluster));
  await startLocal(options, worker, reader, deliverers, () => (dispatcher.wake(), live.changed()), releases);
  startHeartbeats(options, worker, reader, deliverers, auditor, releases);
  otlp = await startReceiver(options, ingest, metrics, () => auditor?.connected(), releases);
  const planning = [reporter, worker.calls, dispatcher, ...(auditor ? [auditor] : [])];
  releases.add(followClock(clock, planning, (error) => reporter.storeFailed(error)));
  return { otlpPort: otlp.port, webPort: web.port, reader, failed };
}

/** What the page gets at the start. Its token is made when there is none. */
function webOf({ config, clock, logger }: AppOptions) {
  const { web, made } = webWithToken(config);
  if (made !== undefined)
    logger.info({ file: made }, 'made a token for the page; lifecycle-bridge page-token prints it');
  const links = runLinks(config, config.cluster.name, () => clock.now());
  const endedSessionsFile = `${config.store.path}.ended-sessions`;
  return { ...web, endedSessionsFile, version: VERSION, cluster: config.cluster, clock, logger, links };
}

async function startReceiver(
  { config, clock, logger }: AppOptions,
  ingest: Ingest,
  metrics: Metrics,
  onConnection: () => void,
  releases: Releases,
): Promise<OtlpServer> {
  const receiver = await startOtlpServer({
    ...config.otlp,
    clock,
    ingest,
    onRequest: (outcome) => metrics.request(outcome),
    onRefusedConnection: (reason) => metrics.refusedConnection(reason),
    onConnection,
    onWarning: (text) => logger.warn({ room: 'otlp' }, text),
  });
  releases.add(() => receiver.drain(DRAIN_MS));
  return receiver;
}

/** The destinations, and the Kubernetes API, to which some of them write. */
async function openDestinations(
  { config, clock, logger }: AppOptions,
  releases: Releases,
): Promise<{ readonly api: KubeApi | undefined; readonly deliverers: readonly ConfiguredDeliverer[] }> {
  const { list, kubeconfig, scope } = config.cluster;
  const api = list ? await connectKube(kubeconfig) : undefined;
  const http = createHttp();
  releases.add(() => http.close());
  const deps = depsOf(config, { http, clock, log: logger, kube: api && kubeOf(api, scope) });
  const deliverers = await createDeliverers(config, deps);
  releases.add(() => deliverers.forEach((deliverer) => deliverer.close?.()));
  return { api, deliverers };
}

interface StoreRoom {
  readonly worker: WorkerClient;
  readonly ingest: Ingest;
  readonly failed: Promise<Error>;
  readonly fail: (error: Error) => void;
  readonly onWake: (wake: Wake) => void;
  readonly state: () => StoreState | undefined;
}

/** The worker thread with the store, and its clock tick. */
async function startStore(
  { config, clock, startedAt = clock.now(), scheduleTimers = true, tracer }: AppOptions,
  reporter: Reporter,
  live: Live,
  releases: Releases,
): Promise<StoreRoom> {
  let state: StoreState | undefined;
  const held = new HeldWake();
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const onCommitted = (committed: Committed): void => {
    reporter.committed(committed);
    if (committed.changed) live.changed();
    // What an audit left to do before it too, though the commit itself may have changed nothing.
    if (committed.work !== undefined) held.wake(committed.work);
  };
  let ticking: Ticking | undefined;
  const worker = await startWorker({ config, startedAt, scheduleTimers }, onCommitted, fail, {
    onWritten: () => ticking?.changed(),
    onSilence: (seconds) => reporter.storeSilent(seconds),
  });
  releases.add(async () => {
    await worker.calls.close();
    await worker.stop();
  });
  releases.addForce(() => void worker.stop());
  if (worker.recovery?.at === startedAt) reporter.storeRecovered(worker.recovery);
  const onTick = (ticked: Ticked): void => {
    state = ticked.state;
    reporter.ticked(ticked);
    if (ticked.work !== undefined) held.wake(ticked.work);
    if (ticked.transitions.length > 0) live.changed();
  };
  ticking = startTicking(worker.calls, clock, reporter, onTick);
  releases.add(() => ticking.stop());
  releases.add(watchStore(config.store.path, () => ticking.changed()));
  const ingest = ingestOf(worker, reporter, tracer);
  return { worker, ingest, failed, fail, onWake: (to) => held.listen(to), state: () => state };
}

function ingestOf({ calls }: WorkerClient, reporter: Reporter, tracer: Tracer | undefined): Ingest {
  const ingest: Ingest = async (request, receivedAt) => {
    const result = await calls.ingest(request, receivedAt);
    if (result.result === 'unavailable') reporter.storeFailed(result.error);
    return result;
  };
  return tracedIngest(ingest, tracer);
}

function startOutbox(
  { config, clock, tracer }: AppOptions,
  worker: WorkerClient,
  deliverers: readonly ConfiguredDeliverer[],
  reporter: Reporter,
  live: Live,
  releases: Releases,
): Dispatcher {
  const dispatcher = startDispatcher({
    store: worker.calls,
    deliverers: deliverers.map((deliverer) => tracedDeliverer(deliverer, tracer)),
    clock,
    maxAgeMs: config.outbox.maxAge,
    onSettled(destination, delivery, what) {
      reporter.settled(destination, delivery, what);
      live.changed();
    },
    onError: (error) => reporter.outboxFailed(error),
  });
  releases.add(() => dispatcher.stop(DELIVERY_GRACE_MS));
  return dispatcher;
}

/** The bridge does its work without its socket too: a path that is too long for one stops nothing but commands. */
async function startLocal(
  { config, clock, logger }: AppOptions,
  { calls: store }: WorkerClient,
  reader: ReadStore,
  deliverers: readonly ConfiguredDeliverer[],
  wake: () => void,
  releases: Releases,
): Promise<void> {
  try {
    const local = await startLocalServer(
      config.store.path,
      createOperations({ store, reader, deliverers, clock, wake }),
    );
    releases.add(() => local.close());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    logger.warn(
      { error: error.message, next: error.next },
      'resend, retire and test-delivery will not reach this bridge',
    );
  }
}
