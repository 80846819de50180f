import type { Clock } from '../../lib/clock.ts';
import type { Http } from '../http.ts';
import type { Deliverer, Delivery } from '../sink.ts';
import type { GithubConfig } from './config.ts';

/** The half of `github/<name>` that talks to GitHub. */
export function createGithubDeliverer(name: string, _config: GithubConfig, _http: Http, _clock: Clock): Deliverer {
  const later = (rows: readonly unknown[]): Promise<Delivery[]> =>
    Promise.resolve(rows.map(() => ({ outcome: 'retry', reason: 'server_error' })));
  return {
    destination: `github/${name}`,
    batch: { intents: 1, desired: 1 },
    convergeLimits: [],
    deliver: later,
    converge: later,
  };
}
