import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startVendors } from '../vendors/start-vendors.ts';
import { until } from '../harness/kube.ts';

const script = join(import.meta.dirname, '../../scripts/demo');
let demo: ChildProcess | undefined;

afterEach(() => void demo?.kill('SIGKILL'));

interface Started {
  readonly page: string;
  readonly vendors: string;
  /** Undefined where Jaeger and VictoriaLogs are not built. */
  readonly traces: string | undefined;
  readonly logs: string | undefined;
}

/** Runs the demo without a terminal until it prints where its page is. */
async function start(...args: string[]): Promise<Started> {
  const child = spawn(script, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  demo = child;
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => void (printed += chunk.toString()));
  const line = (name: string): string | undefined => new RegExp(`^${name}: (http\\S+)$`, 'm').exec(printed)?.[1];
  await until(
    'the demo has printed page and vendors',
    () => printed.includes('Ctrl-C ends it') || child.exitCode !== null,
    90_000,
  );
  return { page: line('page')!, vendors: line('vendors')!, traces: line('traces'), logs: line('logs') };
}

/** Ends it by SIGTERM; returns the exit code and what still runs with the demo's pid or folder in its command line. */
async function stop(): Promise<{ code: number; left: string[] }> {
  const child = demo!;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await ended) as [number];
  const left = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return [];
      }
    })
    .filter((command) => command.includes(`demo-${child.pid}`) || command.includes('lifecycle-bridge-demo-'));
  return { code, left };
}

/** Whether the query of Jaeger's API that is printed finds something. */
async function hasTraces(url: string): Promise<boolean> {
  const { data } = (await (await fetch(url)).json()) as { data: readonly unknown[] | null };
  return data !== null && data.length > 0;
}

async function states({ page }: Started): Promise<Record<string, string>> {
  const { items } = (await (await fetch(`${page}api/runs?limit=200`)).json()) as {
    items: { name: string; status: string }[];
  };
  return Object.fromEntries(items.map(({ name, status }) => [name, status]));
}

describe('scripts/demo', () => {
  it('shows one run that succeeds, one that fails and one that is stuck, and leaves nothing running', async () => {
    const started = await start();
    const expected = {
      'report-by-hand': 'succeeded',
      'sync-stock-by-hand': 'failed',
      'import-legacy-by-hand': 'stuck',
    };
    await until(
      'the three runs',
      async () => {
        const seen = await states(started);
        return Object.entries(expected).every(([name, status]) => seen[name] === status);
      },
      60_000,
    );
    expect(await (await fetch(started.page)).text()).toContain('import-legacy-by-hand');
    await until('its success is reported', async () =>
      (await (await fetch(started.vendors)).text()).includes('complete'),
    );
    expect(await stop()).toEqual({ code: 0, left: [] });
  });

  it('--replay needs no cluster, and --vendors sends elsewhere', async () => {
    const vendors = await startVendors();
    try {
      const started = await start('--replay', '--vendors', vendors.url);
      expect(started.vendors).toBe(vendors.url);
      await until('the pings of all runs', () => vendors.cronitor.pings.length === 20);
      expect(Object.values(await states(started)).filter((status) => status === 'failed')).toHaveLength(7);
      if (started.traces !== undefined) await until('its traces', () => hasTraces(started.traces!));
      expect(await stop()).toEqual({ code: 0, left: [] });
    } finally {
      await vendors.close();
    }
  });
});
