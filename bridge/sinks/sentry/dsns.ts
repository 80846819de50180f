import { sha256Hex } from '../../lib/ids.ts';
import { UserError } from '../../lib/errors.ts';
import { SecretFile } from '../secret-file.ts';
import { redactor } from '../redact.ts';
import type { SentryConfig } from './config.ts';
import type { Dsn } from './dsn.ts';
import { dsnHost, dsnOrigin, parseDsn } from './dsn.ts';
import type { Target } from './payload.ts';
import { targetKey } from './target.ts';

/** Where an item goes, and what is to be said about that. */
export interface Resolved {
  readonly dsn: Dsn;
  /** Distinguishes DSNs without showing one: what Sentry limits is the same DSN, however it is named. */
  readonly id: string;
  /** The same for all keys of a project. */
  readonly project: string;
  /** The limit key that everything for it shares. */
  readonly key: string;
  /** Why it does not go where an annotation wanted it. */
  readonly note?: string;
}

const NOT_ALLOWED = 'the host of the DSN annotation is not in customDsns.hosts: sent to the DSN of the destination';
const NO_ROUTE = 'its route is not configured any more: sent to the DSN of the destination';
const DEFAULT: Target = {};

/** The DSNs of one destination: its own, those of its routes, and which others annotations may name. */
export class Dsns {
  readonly #files: ReadonlyMap<string, SecretFile>;
  readonly #hosts: readonly string[];
  readonly #enabled: boolean;
  /** Limit keys of DSNs that were refused, with the text that was. */
  readonly #refused = new Map<string, string>();
  readonly #seen = new Set<string>();

  /** Throws a UserError when a file cannot be read or holds no DSN. */
  constructor(destination: string, config: SentryConfig) {
    const own = new SecretFile(`${destination}: dsnFile`, { value: config.dsn, file: config.dsnFile });
    const routes = config.routes.map(({ name, dsnFile }) => {
      const file = new SecretFile(`${destination}: dsnFile of the route ${name}`, { file: dsnFile });
      return [targetKey({ route: name }), file] as const;
    });
    this.#files = new Map([[targetKey(DEFAULT), own], ...routes]);
    this.#hosts = config.customDsns.hosts.length === 0 ? ['sentry.io', '*.sentry.io'] : config.customDsns.hosts;
    this.#enabled = config.customDsns.enabled;
    for (const [key, { value }] of this.#files) {
      if (parseDsn(value) !== undefined) this.#seen.add(value);
      else
        throw new UserError(
          `${destination}: the DSN of ${key} is not a DSN`,
          'Put https://PUBLIC_KEY@HOST/PROJECT_ID into its file: Project Settings, Client Keys (DSN)',
        );
    }
  }

  resolve(target: Target): Resolved {
    if ('dsn' in target) {
      const dsn = parseDsn(target.dsn);
      if (dsn !== undefined && this.#allows(dsn)) return { dsn, ...idsOf(dsn), key: targetKey(target) };
      return { ...this.resolve(DEFAULT), note: NOT_ALLOWED };
    }
    const key = targetKey(target);
    const file = this.#files.get(key);
    const dsn = file && parseDsn(file.value);
    if (dsn !== undefined) return { dsn, ...idsOf(dsn), key };
    return { ...this.resolve(DEFAULT), note: NO_ROUTE };
  }

  /** The DSN under this key was refused: true when its file holds another one by now, which may be tried at once. */
  renew(key: string): boolean {
    const file = this.#files.get(key);
    if (file === undefined) return false;
    const used = file.value;
    if (this.#isRenewed(file, used)) return true;
    if (file.mayChange) this.#refused.set(key, used);
    return false;
  }

  /** Limit keys of DSNs that were refused and have been replaced; each once. */
  renewed(): string[] {
    const keys = [...this.#refused].filter(([key, used]) => this.#isRenewed(this.#files.get(key)!, used));
    for (const [key] of keys) this.#refused.delete(key);
    return keys.map(([key]) => key);
  }

  get isRefused(): boolean {
    return this.#refused.size > 0;
  }

  get keys(): string[] {
    return [...this.#files.keys()];
  }

  /** Removes every DSN that was ever used, and its key. */
  redact(text: string, more: readonly Dsn[] = []): string {
    const keys = [...this.#seen].map((seen) => parseDsn(seen)?.publicKey ?? '');
    const secrets = [...this.#seen, ...keys, ...more.map(({ publicKey }) => publicKey)];
    return redactor(secrets.filter((secret) => secret !== ''))(text);
  }

  #isRenewed(file: SecretFile, used: string): boolean {
    const renewed = file.renew(used) && parseDsn(file.value) !== undefined;
    if (renewed) this.#seen.add(file.value);
    return renewed;
  }

  /** Only hosts of the list, and only encrypted, apart from where the destination itself goes. */
  #allows(dsn: Dsn): boolean {
    if (!this.#enabled) return false;
    const own = [...this.#files.values()].flatMap(({ value }) => parseDsn(value) ?? []);
    if (own.some((one) => dsnOrigin(one) === dsnOrigin(dsn))) return true;
    const host = dsnHost(dsn);
    return dsn.protocol === 'https' && this.#hosts.some((allowed) => matches(host, allowed));
  }
}

function matches(host: string, allowed: string): boolean {
  return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
}

function idsOf(dsn: Dsn): Pick<Resolved, 'id' | 'project'> {
  const project = `${dsnOrigin(dsn)}/${dsn.path}/${dsn.projectId}`;
  return { project, id: sha256Hex(`${project}/${dsn.publicKey}`).slice(0, 16) };
}
