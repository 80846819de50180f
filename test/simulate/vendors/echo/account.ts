import type { Tree } from '../../../../bridge/config/tree.ts';
import type { HttpRequest } from '../../../../bridge/sinks/http.ts';
import type { VendorAnswer, VendorRequest } from '../../../vendors/vendor.ts';
import { json } from '../../../vendors/vendor.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkEcho } from './check.ts';

/** A start, an end or a settled run, as the echo sink sends it. */
export interface Report {
  /** When it was heard. */
  readonly heardAt: number;
  readonly id: string;
  readonly kind: 'run.started' | 'run.ended' | 'run.settled';
  readonly at: number;
  readonly outcome: string | null;
  readonly inferred: boolean;
  readonly corrects: boolean;
  readonly uid: string;
  readonly name: string;
  readonly story?: Story;
}

export interface Story {
  readonly status: string;
  readonly pods: readonly string[];
  readonly transitions: readonly string[];
  readonly containers: readonly string[];
}

/** A batch of the journal: numbers, with ids of transitions, and UIDs of Events with the digits of their counts. */
export interface JournalBatch {
  readonly heardAt: number;
  readonly said: string;
  readonly entries: readonly (readonly [number, string])[];
}

/** The vendor of the sink that hears everything. It refuses nothing but a wrong token. */
export class EchoAccount implements Account {
  readonly violations: Account['violations'] = [];
  readonly reports: Report[] = [];
  readonly rows = new Map<string, { readonly name: string; readonly retired?: true }>();
  readonly journal: JournalBatch[] = [];
  readonly #host: string;
  #tokens = 0;

  constructor(host: string) {
    this.#host = host;
  }

  settings(): Tree {
    return { url: `https://${this.#host}`, token: `token-${this.#tokens}` };
  }

  rotate(): void {
    this.#tokens++;
  }

  handle({ url, headers, body, at }: VendorRequest): VendorAnswer | undefined {
    if (headers.authorization !== `Bearer token-${this.#tokens}`) return json(401, {});
    const sent = JSON.parse(body);
    switch (url.pathname) {
      case '/runs':
        this.reports.push({ ...sent, heardAt: at });
        break;
      case '/rows':
        this.rows.set(sent.key, sent.wanted);
        break;
      case '/journal':
        this.journal.push({ heardAt: at, said: body, entries: sent });
        break;
      default:
        return undefined;
    }
    return json(200, {});
  }

  said({ url, body }: HttpRequest): string {
    if (url.endsWith('/runs')) return (JSON.parse(body as string) as Report).id;
    return url.endsWith('/journal') ? (body as string) : '';
  }

  limitOf({ pathname }: URL): string {
    return pathname;
  }

  heard(uid: string): string[] {
    const own = this.reports.filter((report) => report.uid === uid);
    return own.map(({ heardAt, kind, outcome, at }) =>
      [new Date(heardAt).toISOString(), kind, outcome ?? '', at / 1_000].join(' '),
    );
  }
}

export const echo: SimulatedVendor<EchoAccount> = {
  sink: 'echo',
  open: (host) => new EchoAccount(host),
  check: checkEcho,
};
