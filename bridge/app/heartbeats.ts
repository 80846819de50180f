import type { Auditor } from '../cluster/auditor.ts';
import type { WorkerClient } from '../ingest/thread/client.ts';
import { Alarm } from '../lib/alarm.ts';
import { reasonText } from '../lib/reasons.ts';
import type { Releases } from '../lib/releases.ts';
import type { ConfiguredDeliverer } from '../sinks/sink.ts';
import { scheduled } from '../outbox/retry.ts';
import type { ReadStore } from '../store/read.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createReadiness } from '../web/readiness.ts';

/** While one that is due cannot be sent: after a start, or a trouble that is over, it does not take an interval. */
const LOOK_MS = 10_000;
const DAY_MS = 86_400_000;

export interface HeartbeatOptions {
  readonly deliverers: readonly ConfiguredDeliverer[];
  readonly reader: Pick<ReadStore, 'ownRow' | 'retirement'>;
  /** Why the bridge does not truly work; undefined when it does. */
  readonly trouble: () => Promise<string | undefined>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds that only grow. */
  readonly elapsed?: () => number;
}

/**
 * The dead man's switch of each destination that wants one: pinged at its interval, past the outbox (an old heartbeat is
 * a lie), and only while the bridge works. What keeps it silent is logged once.
 */
export class Heartbeats {
  readonly #options: HeartbeatOptions;
  readonly #elapsed: () => number;
  readonly #dueAt = new Map<string, number>();
  readonly #silent = new Map<string, string>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Sends what is due. Ms until the next look. Never throws. */
  async look(signal: AbortSignal): Promise<number> {
    for (const deliverer of this.#options.deliverers) {
      const { destination, heartbeat, dryRun } = deliverer;
      if (heartbeat === undefined || dryRun || this.#elapsed() < (this.#dueAt.get(destination) ?? 0)) continue;
      const why = await this.#beat(deliverer, heartbeat, signal).catch(() => 'the store cannot be read');
      if (!signal.aborted) this.#report(destination, why);
    }
    const wanted = this.#options.deliverers.filter(({ heartbeat, dryRun }) => heartbeat !== undefined && !dryRun);
    const next = Math.min(...wanted.map(({ destination }) => this.#dueAt.get(destination) ?? 0)) - this.#elapsed();
    // What is due and could not be sent is looked at soon.
    return next > 0 ? Math.min(next, DAY_MS) : LOOK_MS;
  }

  /** Why nothing was sent, or what became of it; undefined when the vendor has it. */
  async #beat(
    { destination }: ConfiguredDeliverer,
    heartbeat: NonNullable<ConfiguredDeliverer['heartbeat']>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { reader, trouble } = this.#options;
    if (reader.retirement() !== undefined) return 'the bridge is retired';
    const row = reader.ownRow(destination);
    if (row?.accepted !== true) return 'the vendor has not accepted its row yet';
    const why = await trouble();
    if (why !== undefined) return why;
    const delivery = await heartbeat.send(row.key, signal);
    const delivered = delivery.outcome === 'delivered';
    const pauseMs = scheduled(delivery, 1, 0).delayMs;
    this.#dueAt.set(destination, this.#elapsed() + (delivered ? heartbeat.intervalMs : pauseMs));
    return delivered ? undefined : reasonText(delivery.reason, delivery.detail);
  }

  #report(destination: string, why: string | undefined): void {
    const { logger } = this.#options;
    if (why === this.#silent.get(destination)) return;
    if (why === undefined) {
      this.#silent.delete(destination);
      logger.info({ destination }, 'the heartbeat of the bridge is sent again');
    } else {
      this.#silent.set(destination, why);
      logger.warn({ destination, why }, 'no heartbeat of the bridge is sent');
    }
  }
}

/** Looks whenever one is due until the bridge stops; does nothing if no destination wants a heartbeat. */
export function startHeartbeats(
  { logger }: { readonly logger: Logger },
  { calls }: WorkerClient,
  reader: ReadStore,
  deliverers: readonly ConfiguredDeliverer[],
  auditor: Auditor | undefined,
  releases: Releases,
): void {
  if (!deliverers.some(({ heartbeat }) => heartbeat !== undefined)) return;
  // What was proven before is an old heartbeat.
  const readiness = createReadiness(
    calls.probe,
    () => ({}),
    undefined,
    () => true,
  );
  const trouble = async (): Promise<string | undefined> => {
    const { ready, report } = await readiness();
    return ready ? auditTrouble(auditor) : `the store cannot commit: ${(report as { commit: string }).commit}`;
  };
  const heartbeats = new Heartbeats({ deliverers, reader, trouble, logger });
  const stopping = new AbortController();
  const look = async (): Promise<void> => alarm.within(await heartbeats.look(stopping.signal));
  const alarm = new Alarm(() => void look());
  alarm.within(LOOK_MS);
  releases.add(() => {
    alarm.stop();
    stopping.abort();
  });
}

/** Whether what happens in the cluster reaches the bridge; without an audit this is not known, and only the store counts. */
export function auditTrouble(
  auditor: Pick<Auditor, 'deadWatches' | 'kinds' | 'results'> | undefined,
): string | undefined {
  if (auditor === undefined) return undefined;
  const dead = [...auditor.deadWatches()];
  if (dead.length > 0) return `the watch of ${dead.join(', ')} is dead`;
  const results = auditor.kinds.map((kind) => [kind, auditor.results().get(kind)?.result] as const);
  // A kind that may not be listed is a decision of people; the page says it.
  const open = results.filter(([, result]) => result !== 'complete' && result !== 'unaudited').map(([kind]) => kind);
  if (open.length > 0) return `the audit of ${open.join(', ')} is not complete`;
  return results.some(([, result]) => result === 'complete') ? undefined : 'nothing in the cluster may be listed';
}
