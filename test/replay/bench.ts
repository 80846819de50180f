import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge, BridgeOptions } from '../harness/bridge.ts';
import { COMPILE_CACHE, startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { connectOtlp, type OtlpClient } from '../otlp-client.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';

export const main = join(import.meta.dirname, '../../bridge/main.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the bridge to its end. */
export function command(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const options = { env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILE_CACHE, ...env }, timeout: 110_000 };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

export interface ApiList<T = Readonly<Record<string, unknown>>> {
  readonly items: readonly T[];
}

/** A vendor simulator, a bridge and a client, each real; everything goes away with `close`. */
export class Bench {
  readonly releases: Releases;
  readonly folder: string;
  readonly vendors: Vendors;
  readonly bridge: Bridge;
  readonly client: OtlpClient;

  private constructor(releases: Releases, folder: string, vendors: Vendors, bridge: Bridge) {
    this.releases = releases;
    this.folder = folder;
    this.vendors = vendors;
    this.bridge = bridge;
    this.client = connectOtlp(bridge.endpoint);
    releases.add(() => this.client.close());
  }

  static async start(options: Partial<BridgeOptions> = {}, key?: string): Promise<Bench> {
    const releases = new Releases();
    const folder = mkdtempSync(join(tmpdir(), 'process-'));
    releases.add(() => rmSync(folder, { recursive: true }));
    const vendors = await startVendors(key === undefined ? {} : { key });
    releases.add(() => vendors.close());
    const defaults = { vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: folder };
    const bridge = await startBridge({ ...defaults, ...options });
    releases.add(async () => void (await bridge.stop()));
    return new Bench(releases, folder, vendors, bridge);
  }

  async close(): Promise<void> {
    await this.releases.release();
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.bridge.pageUrl}${path}`);
    return { status: response.status, text: await response.text() };
  }

  async list<T>(path: string): Promise<readonly T[]> {
    return (JSON.parse((await this.get(`api/${path}?limit=500`)).text) as ApiList<T>).items;
  }

  /** The value of one line of the metrics text; undefined when there is none. */
  async metric(line: string): Promise<number | undefined> {
    const { text } = await this.get('metrics');
    const found = text.split('\n').find((each) => each.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.slice(line.length + 1));
  }

  /** Until the outbox is empty and every monitor is in sync. */
  delivered(timeoutMs = 30_000): Promise<void> {
    return this.bridge.settled(timeoutMs);
  }

  /** Sends until it is acknowledged, as the Collector does. */
  async insist(request: Buffer): Promise<void> {
    await until('acknowledged', async () => (await this.client.export(request)).response !== undefined, 120_000);
  }

  /** The log as objects; a line that is not JSON is an error. */
  log(): readonly Readonly<Record<string, unknown>>[] {
    const lines = readFileSync(this.bridge.logFile, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Each series' states in order of arrival. */
  reported(vendors: Vendors = this.vendors): Map<string, string[]> {
    const reported = new Map<string, string[]>();
    for (const { query } of vendors.cronitor.pings)
      reported.set(query.series!, [...(reported.get(query.series!) ?? []), query.state]);
    return reported;
  }
}
