import type { Tree } from '../../../../bridge/config/tree.ts';
import type { HttpRequest } from '../../../../bridge/sinks/http.ts';
import type { Monitor } from '../../../vendors/cronitor-rules.ts';
import { Cronitor } from '../../../vendors/cronitor.ts';
import type { VendorAnswer, VendorRequest } from '../../../vendors/vendor.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import type { Known } from './check-alerts.ts';
import { checkCronitor } from './check.ts';

/** A Cronitor account, with its limits and refusals. */
export class CronitorAccount extends Cronitor implements Account {
  readonly host: string;
  /** What each monitor was, and since when, by its key. */
  readonly history = new Map<string, Known[]>();
  /** What each monitor was asked to be, in the order of the requests. */
  readonly wanted: Monitor[] = [];
  #keys = 0;

  constructor(host: string) {
    super(`${host}-0`);
    this.host = host;
  }

  override handle(request: VendorRequest): VendorAnswer | undefined {
    const answer = super.handle(request);
    if (request.method !== 'PUT') return answer;
    for (const [key, monitor] of this.monitors) {
      const known = this.history.get(key);
      if (known === undefined) this.history.set(key, [{ at: request.at, monitor }]);
      else if (known.at(-1)!.monitor !== monitor) known.push({ at: request.at, monitor });
    }
    return answer;
  }

  settings(): Tree {
    const url = `https://${this.host}`;
    const pingFallbackUrl = `https://fallback.${this.host}`;
    return { apiKey: `${this.host}-${this.#keys}`, apiUrl: url, pingUrl: url, pingFallbackUrl };
  }

  rotate(): void {
    this.keys.clear();
    this.keys.add(`${this.host}-${++this.#keys}`);
  }

  asked({ method, url, body }: HttpRequest): void {
    if (method === 'PUT' && url.endsWith('/api/monitors'))
      this.wanted.push(...(JSON.parse(body as string) as Monitor[]));
  }

  /** `series state stamp` of a ping. */
  said({ url }: HttpRequest): string {
    if (!/\/(ping|p)\//.test(url)) return '';
    const { searchParams } = new URL(url);
    return ['series', 'state', 'stamp'].map((name) => searchParams.get(name) ?? '').join(' ');
  }

  /** The pings of one monitor, the monitors, the logs. */
  limitOf({ pathname }: URL): string {
    return /^\/api\/\w+/.exec(pathname)?.[0] ?? pathname;
  }

  heard(uid: string): string[] {
    const pings = this.pings.filter(({ query }) => query.series === uid);
    return pings.map(({ at, query }) => `${new Date(at).toISOString()} ${query.state} ${query.stamp}`);
  }
}

export const cronitor: SimulatedVendor<CronitorAccount> = {
  sink: 'cronitor',
  open: (host) => new CronitorAccount(host),
  check: checkCronitor,
};
