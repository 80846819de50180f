import { kindHealth } from './audit-report.ts';
import type { KubeApi } from './cluster/api.ts';
import { connectKube } from './cluster/api.ts';
import type { Auditor } from './cluster/auditor.ts';
import { startAuditor } from './cluster/auditor.ts';
import type { EventResult } from './cluster/event-writer.ts';
import { startEventWriter } from './cluster/event-writer.ts';
import { otherCluster, ownNamespace, readIdentity } from './cluster/identity.ts';
import type { Config } from './config/schema.ts';
import type { WorkerClient } from './ingest/client.ts';
import type { Clock } from './lib/clock.ts';
import { UserError } from './lib/errors.ts';
import type { Releases } from './lib/releases.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Teller } from './telemetry/teller.ts';

/** The Kubernetes API may be away at the start: then it is asked for its identity later. */
const IDENTITY_MS = 5_000;

/** The audit, unless the bridge runs without the Kubernetes API. Throws a UserError for a store of another cluster. */
export async function startAudit(
  { config, clock }: { readonly config: Config; readonly clock: Clock },
  { calls }: WorkerClient,
  told: { readonly metrics: Metrics; readonly teller: Teller; readonly fail: (error: Error) => void },
  releases: Releases,
): Promise<Auditor | undefined> {
  const { kubeconfig, scope, audit, list, events } = config.cluster;
  if (!list) return undefined;
  const { metrics, teller, fail } = told;
  const api = await connectKube(kubeconfig);
  const belongs = (signal: AbortSignal) => belongsTo(api, calls, config.store.path, signal);
  const belongsAtStart = await belongs(AbortSignal.timeout(IDENTITY_MS));
  const isOurs = async (signal: AbortSignal) =>
    belongsAtStart || (await belongs(signal).catch((error: unknown) => refuse(error, fail)));
  const auditor = startAuditor({
    api,
    scope,
    clock,
    store: calls,
    intervalMs: audit.interval,
    isOurs,
    onResult: (kind, result) => teller.audited(kind, result),
    onWarnings: (result) => teller.warningsListed(result),
    onWatch: (kind, isDead) => teller.watch(kind, isDead),
    onError: (error) => teller.auditFailed(error),
  });
  releases.add(() => auditor.stop());
  if (events) {
    const onResult = (result: EventResult) => teller.eventWritten(result);
    const onError = (error: unknown) => teller.eventsFailed(error);
    releases.add(startEventWriter({ api, store: calls, clock, isOurs, onResult, onError }));
  }
  metrics.observeAudit(() => kindHealth(auditor));
  return auditor;
}

/** False when it cannot be told yet, because the API does not answer. Throws a UserError for another cluster. */
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
