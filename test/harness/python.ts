import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A Python that has some packages of PyPI, or why there is none. */
export type Python =
  | { readonly env: Readonly<Record<string, string>>; readonly command: string }
  | { readonly missing: string };

const INSTALL_MS = 120_000;

/** Installs packages such as `cronsim==2.8` once, into a folder of this machine's cache. Never throws. */
export function pythonWith(...packages: readonly string[]): Python {
  const command = 'python3';
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
  const folder = join(cache, 'lifecycle-bridge', 'python', name);
  try {
    if (!existsSync(folder)) install(command, packages, folder);
    return { command, env: { ...definedOf(process.env), PYTHONPATH: folder } };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `no Python with ${packages.join(', ')}: ${why}` };
  }
}

/** Into its place only when it is whole: two tests may install at once. */
function install(command: string, packages: readonly string[], folder: string): void {
  const half = `${folder}.${process.pid}`;
  const pip = ['-m', 'pip', 'install', '-q', '--no-input', '--disable-pip-version-check', '--target', half];
  try {
    execFileSync(command, [...pip, ...packages], { timeout: INSTALL_MS, stdio: ['ignore', 'ignore', 'pipe'] });
    renameSync(half, folder);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
