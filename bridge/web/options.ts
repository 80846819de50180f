import type { Config } from '../config/schema.ts';
import type { Run } from '../lifecycle/transition.ts';
import type { Clock } from '../lib/clock.ts';
import type { DestinationLink } from '../sinks/index.ts';
import type { Live } from './live.ts';
import type { Retirement } from '../store/operations.ts';
import type { ReadStore } from '../store/read.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type WebConfig = Config['web'];

export interface Readiness {
  readonly ready: boolean;
  readonly report: object;
  /** What every page says at its top. */
  readonly notes?: readonly string[];
}

/** `port` 0: any free port. */
export interface WebOptions extends WebConfig {
  readonly reader: ReadStore;
  readonly metrics: Metrics;
  /** `ready` iff the bridge can commit; `report` is shown, never judged. */
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** For how long the thread that owns the store was asked and did not answer. */
  readonly silentSeconds: () => number;
  /** The retirement that lasts now. */
  readonly retirement: () => Retirement | undefined;
  readonly live: Live;
  /** Default 1000. */
  readonly maxConnections?: number;
  /** Where sessions that were logged out are kept. */
  readonly endedSessionsFile: string;
  readonly version: string;
  readonly cluster: { readonly name: string; readonly scope: 'cluster' | readonly string[] };
  /** Where people read more of a run. */
  readonly links: (run: Run) => readonly DestinationLink[];
  readonly clock: Clock;
  readonly logger: Logger;
}
