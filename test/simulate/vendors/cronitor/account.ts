import type { Tree } from '../../../../bridge/config/tree.ts';
import type { HttpRequest } from '../../../../bridge/sinks/http.ts';
import { Cronitor } from '../../../vendors/cronitor.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkCronitor } from './check.ts';

/** A Cronitor account, with its limits and refusals. */
export class CronitorAccount extends Cronitor implements Account {
  readonly host: string;
  #keys = 0;

  constructor(host: string) {
    super(`${host}-0`);
    this.host = host;
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
