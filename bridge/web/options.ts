import type { Clock } from '../lib/clock.ts';
import type { ReadStore } from '../store/read.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Readiness {
  readonly ready: boolean;
  readonly report: object;
  /** What every page tells at its top. */
  readonly notes?: readonly string[];
}

export interface WebOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly reader: ReadStore;
  readonly metrics: Metrics;
  /** `ready` iff the bridge can commit; `report` is shown, never judged. */
  readonly readiness: () => Readiness | Promise<Readiness>;
  readonly version: string;
  readonly cluster: { readonly name: string; readonly scope: 'cluster' | readonly string[] };
  readonly clock: Clock;
  readonly logger: Logger;
}
