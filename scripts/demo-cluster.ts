import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../bridge/lib/errors.ts';
import type { Releases } from '../bridge/lib/releases.ts';

const script = join(import.meta.dirname, 'cluster');

/** Brings up a lite cluster of this demo's own, with its progress on standard error; returns its kubeconfig. */
export async function demoCluster(releases: Releases): Promise<string> {
  await removeLeftovers();
  const name = `demo-${process.pid}`;
  let end: () => void = () => undefined;
  releases.add(async () => {
    end();
    await cluster(name, ['down'], () => undefined);
  });
  await cluster(name, ['up', '--lite'], (kill) => void (end = kill));
  const exports = await cluster(name, ['env'], () => undefined);
  return /^export KUBECONFIG=(.+)$/m.exec(exports)?.[1] ?? '';
}

/** Runs scripts/cluster in a process group of its own, so that `kill` ends the builds under it too. */
async function cluster(name: string, args: readonly string[], onStart: (kill: () => void) => void): Promise<string> {
  const env = { ...process.env, LB_CLUSTER: name };
  const child = spawn(script, args, { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => void (printed += chunk.toString()));
  onStart(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGTERM');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new UserError(
      `scripts/cluster ${args.join(' ')} ended with ${code ?? 'a signal'}`,
      'Its own words are above.',
    );
  }
  return printed;
}

/** Clusters of demos that were killed before they could clean up. */
async function removeLeftovers(): Promise<void> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '', '.cache');
  const names = await readdir(join(cache, 'lifecycle-bridge/clusters')).catch(() => []);
  for (const name of names) {
    const pid = /^demo-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await cluster(name, ['down'], () => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
