import { once } from 'node:events';
import { access, constants, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';

import type { Config } from '../config/schema.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { hostAndPort, listenHost } from '../lib/listen-host.ts';
import { refuseNetworkFileSystem } from '../store/sqlite/file/file-system.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** Whether the store's folder can be written and lies on a local disk. Touches no existing store. */
export function storeProbe(path: string): Probe {
  return {
    name: 'store',
    run: async () => {
      const folder = await existingFolder(dirname(resolve(path)));
      try {
        refuseNetworkFileSystem(folder);
        await rm(await mkdtemp(join(folder, '.lifecycle-bridge-check-')), { recursive: true });
        if (await exists(path)) await access(path, constants.R_OK | constants.W_OK);
      } catch (error) {
        if (error instanceof UserError) return { ok: false, detail: error.message, next: error.next };
        return {
          ok: false,
          detail: `${path} cannot be written: ${errorText(error)}`,
          next: 'Set store.path to a file in a folder that this user may write, on a local disk.',
        };
      }
      const { bavail, bsize } = await statfs(folder);
      return { ok: true, detail: `${path} can be written, ${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB free` };
    },
  };
}

async function existingFolder(path: string): Promise<string> {
  return (await exists(path)) || dirname(path) === path ? path : existingFolder(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Whether a port is free, or taken by a bridge that runs already (its page says so). */
export function portProbe(name: string, key: 'otlp' | 'web', config: Pick<Config, 'otlp' | 'web'>): Probe {
  const { host, port } = config[key];
  const address = hostAndPort(host, port);
  return {
    name,
    run: async () => {
      const error = await listenError(host, port);
      if (error === undefined)
        return { ok: true, detail: port === 0 ? `${host}, any free port` : `${address} is free` };
      const version = error.includes('EADDRINUSE') ? await runningVersion(config.web) : undefined;
      if (version !== undefined)
        return { ok: true, detail: `${address} is taken by a running bridge, version ${version}` };
      return portTaken(key, address, error);
    },
  };
}

function portTaken(key: string, address: string, error: string): ProbeResult {
  return {
    ok: false,
    detail: error.includes('EADDRINUSE') ? `${address} is taken by another process` : `${address}: ${error}`,
    next: `Set ${key}.port to a free port (0: any) or stop what listens there.`,
  };
}

async function listenError(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, listenHost(host));
    await once(server, 'listening');
  } catch (error) {
    return errorText(error);
  }
  server.close();
  await once(server, 'close');
  return undefined;
}

async function runningVersion({ host, port }: Config['web']): Promise<string | undefined> {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  try {
    const url = `http://${hostAndPort(reachable, port)}/version`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    const body: unknown = await response.json();
    if (body === null || typeof body !== 'object' || !('name' in body) || body.name !== 'lifecycle-bridge')
      return undefined;
    return 'version' in body ? String(body.version) : undefined;
  } catch {
    return undefined;
  }
}
