import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ReadStore } from '../store/read.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { Live } from './live.ts';
import type { Readiness, WebOptions } from './options.ts';
import { startWeb } from './server.ts';

export const NOW = Date.parse('2026-11-21T12:00:30Z');

export interface TestWeb {
  readonly store: Store;
  /** File of the store. */
  readonly path: string;
  readonly metrics: Metrics;
  readonly options: WebOptions;
  /** What /readyz says; tests change it. */
  readonly readiness: { current: Readiness };
  readonly logged: readonly string[];
  get(address: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** The web server over a real, empty store in a folder of its own, for tests. */
export async function startTestWeb(config: Partial<WebOptions> = {}): Promise<TestWeb> {
  const folder = mkdtempSync(join(tmpdir(), 'web-'));
  const clock = { now: () => NOW };
  const path = join(folder, 'bridge.db');
  const store = openStore(path, clock);
  const reader = openReader(path);
  const metrics = createMetrics({ version: '1.2.3', clock });
  metrics.observeStore(reader);
  const readiness = { current: { ready: true, report: { lists: { Job: 'complete' } } } };
  const logged: string[] = [];
  const options = { ...defaults(path, reader, metrics, readiness, logged), ...config };
  const web = await startWeb(options);
  return {
    path,
    store,
    metrics,
    readiness,
    logged,
    options: { ...options, port: web.port },
    get: (address, init) => fetch(`http://127.0.0.1:${web.port}${address}`, init),
    close: async () => {
      await web.close();
      await metrics.close();
      reader.close();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function defaults(
  path: string,
  reader: ReadStore,
  metrics: Metrics,
  readiness: { readonly current: Readiness },
  logged: string[],
): WebOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    auth: 'none',
    proxyHeader: 'X-Forwarded-User',
    trustedProxies: [],
    reader,
    metrics,
    readiness: () => readiness.current,
    retirement: () => reader.retirement(),
    live: new Live(),
    endedSessionsFile: `${path}.ended-sessions`,
    silentSeconds: () => 0,
    version: '1.2.3',
    cluster: { name: 'test <cluster>', scope: ['team-a', 'team-b'] },
    clock: { now: () => NOW },
    links: () => [],
    logger: createLogger('info', [], { write: (line) => void logged.push(line) }),
  };
}
