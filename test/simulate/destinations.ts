import type { Tree } from '../../bridge/config/tree.ts';
import { VENDORS } from './vendors/index.ts';
import type { Account, SimulatedVendor } from './vendors/vendor.ts';

/** A destination as a plan has it. */
export interface DestinationPlan {
  readonly sink: string;
  readonly name: string;
}

/** A time in which a destination was set otherwise. */
export interface Exception {
  readonly kind: 'dry-run' | 'excluded' | 'away' | 'rotated';
  /** The namespace that is excluded. */
  readonly namespace?: string;
  /** When the configuration was changed, and when a bridge first had it. */
  readonly from: number;
  startedAt: number;
  /** When it was changed back, and when a bridge first had that. */
  until: number;
  to: number;
}

/** For how long an account was that of a destination. */
export interface Tenure {
  /** `<sink>/<name>` */
  readonly destination: string;
  /** When the first bridge started that had it. */
  readonly from: number;
  /** And what the clock of its computer showed: its cut-off goes by that. */
  readonly shownFrom: number;
  /** When the first that had it worked: its cut-off is set by then. */
  readyAt: number;
  /** It left the configuration, and does not come back. */
  removedAt?: number;
  readonly exceptions: Exception[];
}

export interface OpenAccount {
  readonly host: string;
  readonly vendor: SimulatedVendor;
  readonly account: Account;
  readonly tenures: Tenure[];
}

interface Destination extends DestinationPlan {
  readonly open: OpenAccount;
  /** What it is set otherwise by; two of a kind may overlap in any way. */
  readonly exceptions: Set<Exception>;
}

/** The destinations of the bridge's configuration, how people change them, and the accounts that they have. */
export class Destinations {
  readonly accounts: OpenAccount[] = [];
  readonly #now: () => number;
  #current: Destination[] = [];

  constructor(planned: readonly DestinationPlan[], now: () => number) {
    this.#now = now;
    for (const { sink, name } of planned) this.add(sink, name);
  }

  /** Their part of the configuration. */
  config(): Tree {
    const config: Record<string, Record<string, Tree>> = {};
    for (const { sink, name, open, exceptions } of this.#present())
      (config[sink] ??= {})[name] = { ...open.account.settings(), ...settingsOf(exceptions) };
    return config;
  }

  /** The sinks of the configuration. */
  sinks(): string[] {
    return this.#current.map(({ sink }) => sink);
  }

  /** The sink and the name of each. */
  names(): (readonly [string, string])[] {
    return this.#current.map(({ sink, name }) => [sink, name]);
  }

  has(destination: string): boolean {
    return this.#current.some(({ sink, name }) => `${sink}/${name}` === destination);
  }

  add(sink: string, name: string): void {
    const vendor = VENDORS[sink]!;
    const host = `${name}.${sink}.simulated`;
    const open: OpenAccount = { host, vendor, account: vendor.open(host, this.#now), tenures: [] };
    this.accounts.push(open);
    this.#current.push({ sink, name, open, exceptions: new Set() });
  }

  remove(sink: string, name: string): void {
    const one = this.#find(sink, name);
    this.#current = this.#current.filter((other) => other !== one);
    const tenure = one?.open.tenures.at(-1);
    if (tenure !== undefined) tenure.removedAt = this.#now();
  }

  /** Sets one otherwise; returns how to set it back. */
  except(sink: string, name: string, { kind, namespace }: Pick<Exception, 'kind' | 'namespace'>): () => void {
    const one = this.#find(sink, name);
    const tenure = one?.open.tenures.at(-1);
    if (one === undefined || tenure === undefined) return () => undefined;
    const exception: Exception = {
      kind,
      from: this.#now(),
      startedAt: Infinity,
      until: Infinity,
      to: Infinity,
      ...(namespace !== undefined && { namespace }),
    };
    tenure.exceptions.push(exception);
    one.exceptions.add(exception);
    if (kind === 'rotated') one.open.account.rotate();
    return () => {
      exception.until = this.#now();
      one.exceptions.delete(exception);
    };
  }

  /** A bridge starts with what the configuration has now. */
  started(at: number, shownFrom: number): void {
    for (const { sink, name, open } of this.#present()) {
      const destination = `${sink}/${name}`;
      const tenure = open.tenures.find((one) => one.destination === destination);
      if (tenure === undefined)
        open.tenures.push({ destination, from: at, shownFrom, readyAt: Infinity, exceptions: [] });
    }
    for (const exception of this.#current.flatMap(({ open }) => open.tenures.flatMap((one) => one.exceptions))) {
      exception.startedAt = Math.min(exception.startedAt, at);
      if (exception.until < Infinity) exception.to = Math.min(exception.to, at);
    }
  }

  /** It works. */
  ready(at: number): void {
    for (const { open } of this.#present())
      for (const tenure of open.tenures) tenure.readyAt = Math.min(tenure.readyAt, at);
  }

  /** The account that a request goes to. */
  at({ hostname }: URL): OpenAccount | undefined {
    return this.accounts.find(({ host }) => hostname === host || hostname.endsWith(`.${host}`));
  }

  #present(): Destination[] {
    return this.#current.filter(({ exceptions }) => ![...exceptions].some(({ kind }) => kind === 'away'));
  }

  #find(sink: string, name: string): Destination | undefined {
    return this.#current.find((one) => one.sink === sink && one.name === name);
  }
}

/** What is set beside its account. */
function settingsOf(exceptions: ReadonlySet<Exception>): Tree {
  const all = [...exceptions];
  const excluded = all.flatMap(({ kind, namespace }) => (kind === 'excluded' ? [namespace!] : []));
  return {
    ...(all.some(({ kind }) => kind === 'dry-run') && { dryRun: true }),
    ...(excluded.length > 0 && { excludeNamespaces: [...new Set(excluded)] }),
  };
}
