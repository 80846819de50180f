import { clusterNotes } from './cluster-report.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Releases } from '../lib/releases.ts';
import type { OtlpServer } from '../otlp/receive/server.ts';
import { adviceOn, dryRuns } from '../sinks/index.ts';
import { keyNotes, leftText, storeNotes } from '../store/notes.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader } from '../store/sqlite/open.ts';
import type { Recovery, StoreState } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

interface Started {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When the store was opened by its owner. */
  readonly startedAt?: Instant;
}

/** Opens the second, read-only connection to the store, and says in the log which destinations left with this start. */
export function openReads({ config, logger, startedAt }: Started, metrics: Metrics, releases: Releases): ReadStore {
  const reader = openReader(config.store.path, dryRuns(config));
  releases.add(() => reader.close());
  metrics.observeStore(reader);
  for (const left of reader.leftDestinations()) {
    if (left.leftAt === startedAt) logger.warn({ destination: left.destination }, leftText(left, config.outbox.maxAge));
  }
  return reader;
}

interface Parts {
  readonly recovery: Recovery | undefined;
  readonly state: StoreState | undefined;
  readonly reader: ReadStore;
  readonly cluster: Parameters<typeof clusterNotes>[0];
  readonly otlp: OtlpServer | undefined;
}

/** What an operator should know of the store and the parts of the bridge. */
export function notesOf({ config, clock }: Started, { recovery, state, reader, cluster, otlp }: Parts): string[] {
  const left = reader.leftDestinations().filter(({ waiting }) => waiting > 0);
  return [
    ...storeNotes(recovery, state, clock.now()),
    ...keyNotes(reader.keyRefusals(), adviceOn),
    ...left.map((one) => leftText(one, config.outbox.maxAge)),
    ...clusterNotes(cluster, clock.now()),
    ...(otlp?.notes() ?? []),
  ];
}
