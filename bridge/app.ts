import { connectKube } from './cluster/api.ts';
import type { Lister } from './cluster/lister.ts';
import { startLister } from './cluster/lister.ts';
import type { Config } from './config/schema.ts';
import type { WorkerClient } from './ingest/client.ts';
import { startWorker } from './ingest/client.ts';
import type { Committed } from './ingest/protocol.ts';
import type { Clock, Instant } from './lib/clock.ts';
import { errorText } from './lib/errors.ts';
import { Releases } from './lib/releases.ts';
import { VERSION } from './lib/version.ts';
import { startOtlpServer } from './otlp/server.ts';
import type { Dispatcher } from './outbox/dispatcher.ts';
import { startDispatcher } from './outbox/dispatcher.ts';
import { createHttp } from './sinks/http.ts';
import { createDeliverers } from './sinks/index.ts';
import type { ReadStore } from './store/read.ts';
import { openReader } from './store/sqlite/open.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Readiness } from './web/options.ts';
import { startWeb } from './web/server.ts';

export interface AppOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When the store's cut-offs are set from, if this is their first start; default now. */
  readonly startedAt?: Instant;
}

export interface App {
  readonly otlpPort: number;
  readonly webPort: number;
  readonly reader: ReadStore;
  /** Fulfilled when a part that the bridge cannot live without has ended. */
  readonly failed: Promise<Error>;
  /** Takes no more, finishes what is in work, closes the store. */
  stop(): Promise<void>;
}

const TICK_MS = 1_000;
const DRAIN_MS = 10_000;
const DELIVERY_GRACE_MS = 5_000;
const PROBE_MS = 2_000;

/** Starts every room in order; when one cannot start, those before it are stopped. Throws UserErrors. */
export async function startApp(options: AppOptions): Promise<App> {
  const releases = new Releases();
  const stop = (): Promise<void> =>
    releases.release((error) => options.logger.error({ error: errorText(error) }, 'a part did not stop well'));
  try {
    return { ...(await startParts(options, releases)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: AppOptions, releases: Releases): Promise<Omit<App, 'stop'>> {
  const { config, clock, logger } = options;
  const metrics = createMetrics({ version: VERSION, clock });
  releases.add(() => metrics.close());
  const { worker, failed, onCommit } = await startStore(options, metrics, releases);
  const reader = openReader(config.store.path);
  releases.add(() => reader.close());
  metrics.observeStore(reader);
  const lister = startListing(options, worker, metrics, releases);
  const web = await startWeb({
    ...config.web,
    reader,
    metrics,
    readiness: () => readiness(worker, lister),
    version: VERSION,
    cluster: config.cluster,
    clock,
    logger,
  });
  releases.add(() => web.close());
  const dispatcher = startOutbox(options, worker, metrics, releases);
  onCommit(() => dispatcher.wake());
  const otlp = await startOtlpServer({
    ...config.otlp,
    clock,
    ingest: (request, receivedAt) => worker.calls.ingest(request, receivedAt),
    onRequest: (outcome) => metrics.request(outcome),
    onConnection: () => lister?.trigger(),
  });
  releases.add(() => otlp.drain(DRAIN_MS));
  return { otlpPort: otlp.port, webPort: web.port, reader, failed };
}

/** The worker thread with the store, and its clock tick. */
async function startStore(
  { config, clock, logger, startedAt = clock.now() }: AppOptions,
  metrics: Metrics,
  releases: Releases,
): Promise<{ worker: WorkerClient; failed: Promise<Error>; onCommit: (wake: () => void) => void }> {
  let wake: () => void = () => undefined;
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const onCommitted = (committed: Committed): void => {
    countCommit(metrics, committed);
    wake();
  };
  const worker = await startWorker({ config, startedAt }, onCommitted, fail);
  releases.add(async () => {
    await worker.calls.close();
    await worker.stop();
  });
  const tick = (): void => {
    worker.calls.tick(clock.now()).then(wake, (error: unknown) => {
      logger.error({ error: errorText(error) }, 'the store cannot commit');
    });
  };
  const timer = setInterval(tick, TICK_MS);
  releases.add(() => clearInterval(timer));
  return { worker, failed, onCommit: (to) => void (wake = to) };
}

function countCommit(metrics: Metrics, { commitMs, records, quarantined }: Committed): void {
  metrics.commit(commitMs);
  for (const { kind, result } of records) metrics.record(kind, result);
  for (const reason of quarantined) metrics.quarantine(reason);
}

function startListing(
  { config, clock, logger }: AppOptions,
  worker: WorkerClient,
  metrics: Metrics,
  releases: Releases,
): Lister | undefined {
  if (!config.cluster.list) return undefined;
  const lister = startLister({
    api: connectKube(config.cluster.kubeconfig),
    scope: config.cluster.scope,
    clock,
    observe: (objects, observedAt) => worker.calls.observe(objects, observedAt),
    onResult(kind, result) {
      metrics.list(kind, result.result);
      if (result.result === 'failed') logger.warn({ kind, ...result }, 'LIST failed; it is tried again');
      else logger.info({ kind, objects: result.objects }, 'LIST complete');
    },
  });
  releases.add(() => lister.stop());
  return lister;
}

function startOutbox(
  { config, clock, logger }: AppOptions,
  worker: WorkerClient,
  metrics: Metrics,
  releases: Releases,
): Dispatcher {
  const http = createHttp();
  releases.add(() => http.close());
  const dispatcher = startDispatcher({
    store: worker.calls,
    deliverers: createDeliverers(config, http, clock),
    clock,
    maxAgeMs: config.outbox.maxAge,
    onSettled: (destination, delivery) => {
      metrics.delivery(destination, delivery.outcome, delivery.outcome === 'delivered' ? 'delivered' : delivery.reason);
    },
    onError: (error) => logger.error({ error: errorText(error) }, 'outbox'),
  });
  releases.add(() => dispatcher.stop(DELIVERY_GRACE_MS));
  return dispatcher;
}

async function readiness(worker: WorkerClient, lister: Lister | undefined): Promise<Readiness> {
  const timeout = AbortSignal.timeout(PROBE_MS);
  const late = new Promise<string>((resolve) => {
    timeout.addEventListener('abort', () => resolve(`no commit within ${PROBE_MS / 1000} s`));
  });
  const done = worker.calls.probe().then(
    () => undefined,
    (error: unknown) => errorText(error),
  );
  const problem = await Promise.race([done, late]);
  const lists = lister === undefined ? 'off' : Object.fromEntries(lister.results());
  return { ready: problem === undefined, report: { commit: problem ?? 'ok', lists } };
}
