import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Says to each pod of a Job how it has to end: the first two fail. The second waits for that until it may go on. */
export interface Judge {
  /** A pod asks there, with its name at the end. */
  readonly url: string;
  /** Names of pods, in the order in which they asked. */
  readonly asked: readonly string[];
  goOn(): void;
  close(): Promise<void>;
}

/** Listens at an address of this machine that pods can reach. No pod is answered before `ready`. */
export async function startJudge(host: string, ready: () => Promise<void>): Promise<Judge> {
  const asked: string[] = [];
  const { promise: goneOn, resolve: goOn } = Promise.withResolvers<void>();
  const server = createServer(({ url = '' }, answer) => {
    const pod = url.slice(1);
    if (!asked.includes(pod)) asked.push(pod);
    const place = asked.indexOf(pod);
    const may = place === 1 ? goneOn.then(ready) : ready();
    void may.then(
      () => answer.end(place < 2 ? '3' : '0'),
      (error: unknown) => answer.writeHead(503).end(String(error)),
    );
  }).listen(0, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    asked,
    goOn,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
