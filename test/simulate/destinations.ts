import type { Tree } from '../../bridge/config/tree.ts';
import { VENDORS } from './vendors/index.ts';
import type { Account, SimulatedVendor } from './vendors/vendor.ts';

/** A destination as a plan has it. */
export interface DestinationPlan {
  readonly sink: string;
  readonly name: string;
}

/** For how long an account was that of a destination. */
export interface Tenure {
  /** `<sink>/<name>` */
  readonly destination: string;
  /** When the first bridge started that had it. */
  readonly from: number;
  /** When the first that had it worked: its cut-off is set by then. */
  readyAt: number;
}

export interface OpenAccount {
  readonly host: string;
  readonly vendor: SimulatedVendor;
  readonly account: Account;
  readonly tenures: Tenure[];
}

interface Destination extends DestinationPlan {
  readonly open: OpenAccount;
}

/** The destinations of the bridge's configuration, and the accounts that they have. */
export class Destinations {
  readonly accounts: OpenAccount[] = [];
  #current: readonly Destination[] = [];

  constructor(planned: readonly DestinationPlan[], at: () => number) {
    this.#current = planned.map(({ sink, name }) => {
      const vendor = VENDORS[sink]!;
      const host = `${name}.${sink}.simulated`;
      const open: OpenAccount = { host, vendor, account: vendor.open(host, at), tenures: [] };
      this.accounts.push(open);
      return { sink, name, open };
    });
  }

  /** Their part of the configuration. */
  config(): Tree {
    const config: Record<string, Record<string, Tree>> = {};
    for (const { sink, name, open } of this.#current) (config[sink] ??= {})[name] = open.account.settings();
    return config;
  }

  /** The sinks of the configuration. */
  sinks(): string[] {
    return this.#current.map(({ sink }) => sink);
  }

  /** A bridge starts with what the configuration has now. */
  started(at: number): void {
    for (const { sink, name, open } of this.#current) {
      const destination = `${sink}/${name}`;
      if (open.tenures.some((tenure) => tenure.destination === destination)) continue;
      open.tenures.push({ destination, from: at, readyAt: Infinity });
    }
  }

  /** It works. */
  ready(at: number): void {
    for (const { open } of this.#current)
      for (const tenure of open.tenures) tenure.readyAt = Math.min(tenure.readyAt, at);
  }

  /** The account that a request goes to. */
  at({ hostname }: URL): OpenAccount | undefined {
    return this.accounts.find(({ host }) => hostname === host || hostname.endsWith(`.${host}`));
  }
}
