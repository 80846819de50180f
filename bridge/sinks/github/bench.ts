import { sha256Hex } from '../../lib/ids.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { createHttp } from '../http.ts';
import type { ClaimedDesired, Deliverer, Delivery } from '../sink.ts';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { githubSchema } from './config.ts';
import { createGithubDeliverer } from './deliver.ts';
import { recordKey } from './record.ts';
import type { DeploymentRecord } from './record.ts';

export const NOW = Date.parse('2026-01-01T00:00:00Z');

/** A deliverer on the simulated GitHub, both with one clock that only sleeping moves. */
export interface Bench {
  readonly vendors: Vendors;
  readonly clock: { at: Instant; now(): Instant };
  /** What was slept, in ms. */
  readonly slept: number[];
  /** Of the log. */
  readonly lines: readonly { readonly fields: object; readonly message: string }[];
  readonly abort: AbortController;
  deliverer(config?: object): Deliverer;
  converge(rows: readonly ClaimedDesired[], deliverer?: Deliverer): Promise<Delivery[]>;
  /** `METHOD path` of the requests so far. */
  requests(): string[];
  bodies(path: string): Record<string, Json>[];
  close(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const vendors = await startVendors();
  const http = createHttp({});
  const clock = { at: NOW, now: () => clock.at };
  vendors.github.clock = clock.now;
  const slept: number[] = [];
  const abort = new AbortController();
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const log = { info: (fields: object, message: string) => void lines.push({ fields, message }) };
  const sleep = (ms: number): Promise<void> => {
    slept.push(ms);
    clock.at += ms;
    return Promise.resolve();
  };
  const deliverer = (config: object = {}): Deliverer => {
    const parsed = githubSchema.parse({ ...settings(vendors), ...config });
    return createGithubDeliverer('default', parsed, { http, clock, log }, sleep);
  };
  const usual = deliverer();
  return {
    vendors,
    clock,
    slept,
    lines,
    abort,
    deliverer,
    converge: (rows, by = usual) => by.converge(rows, abort.signal),
    requests: () => vendors.requests.map(({ method, path }) => `${method} ${path}`),
    bodies: (path) =>
      vendors.requests
        .filter((request) => request.path.endsWith(path) && request.body !== '')
        .map(({ body }) => JSON.parse(body) as Record<string, Json>),
    async close() {
      abort.abort();
      await http.close();
      await vendors.close();
    },
  };
}

function settings({ key, url }: Vendors): object {
  return {
    org: 'acme',
    credential: key,
    apiUrl: url.replace('http://127.0.0.1', 'http://localhost'),
    cluster: 'prod-1',
    logicalEnvironment: 'production',
  };
}

/** What a destination is set to that uses a new App. */
export function appSettings({ vendors }: Bench): { readonly app: object; readonly credential: string } {
  const { id, installationId, privateKey } = vendors.github.auth.createApp();
  return { app: { id, installationId }, credential: privateKey };
}

/** A digest that is the same for the same text. */
export const digestOf = (text: string): string => `sha256:${sha256Hex(text)}`;

export function recordOf(deploymentName: string, fields: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    org: 'acme',
    logical_environment: 'production',
    physical_environment: '',
    cluster: 'prod-1',
    deployment_name: deploymentName,
    name: `ghcr.io/acme/${deploymentName}`,
    digest: digestOf(deploymentName),
    status: 'deployed',
    ...fields,
  };
}

export function rowOf(deploymentName: string, fields: Partial<DeploymentRecord> = {}, attempt = 1): ClaimedDesired {
  const record = recordOf(deploymentName, fields);
  const wanted = record as unknown as Json;
  return { destination: 'github/default', key: recordKey(record), wanted, wantedHash: JSON.stringify(record), attempt };
}

/** Rows `PREFIX-1` and so on. */
export function rowsOf(count: number, prefix = 'app'): ClaimedDesired[] {
  return Array.from({ length: count }, (_, index) => rowOf(`${prefix}-${index + 1}`));
}
