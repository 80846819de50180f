import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those of the test clusters (scripts/cluster.d/lite.sh), above those of a node. */
const [FIRST, LAST] = [11_000, 19_999];
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free now, and that this process has not given before. It is outside of the range of outgoing
 * connections, one of which could hold it when the program that has it comes back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
