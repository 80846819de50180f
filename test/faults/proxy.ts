import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * What the network does: `pass` all, `stall` all bytes, `mute` (requests arrive, answers do not), `cut` (connections
 * break at once, and so do new ones).
 */
export type Network = 'pass' | 'stall' | 'mute' | 'cut';

/** The network between a Collector and the bridge. */
export interface Proxy {
  /** host:port */
  readonly endpoint: string;
  /** What was held passes when `pass` comes, and is lost when `cut` comes first. */
  set(network: Network): void;
  /** Breaks all connections; the next ones go to another host:port. */
  lead(endpoint: string): void;
  close(): Promise<void>;
}

/** Starts a proxy to host:port `target` that passes all. */
export async function startProxy(target: string): Promise<Proxy> {
  const wires = new Set<Wire>();
  let network: Network = 'pass';
  let to = target;
  const cut = (): void => wires.forEach((wire) => wire.cut());
  const server = createServer((client) => {
    const wire = new Wire(client, to, () => wires.delete(wire));
    wires.add(wire);
    wire.set(network);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    endpoint: `127.0.0.1:${address.port}`,
    set: (wanted) => {
      network = wanted;
      wires.forEach((wire) => wire.set(wanted));
    },
    lead: (endpoint) => {
      to = endpoint;
      cut();
    },
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

/** One connection from a Collector, and the one to the bridge that belongs to it. */
class Wire {
  readonly #client: Socket;
  readonly #bridge: Socket;
  #greeted = false;
  #network: Network = 'pass';

  constructor(client: Socket, target: string, onEnd: () => void) {
    const [host, port] = target.split(':');
    this.#client = client;
    this.#bridge = connect(Number(port), host);
    for (const socket of [this.#client, this.#bridge]) {
      socket.on('error', () => undefined); // `close` follows
      socket.on('close', () => {
        this.cut();
        onEnd();
      });
    }
    // A gRPC client sends nothing before the server's first frame, which no network has a reason to hold back.
    this.#bridge.once('data', (chunk: Buffer) => {
      this.#greeted = true;
      this.#client.write(chunk);
      this.set(this.#network);
    });
  }

  set(network: Network): void {
    this.#network = network;
    if (network === 'cut') return this.cut();
    flow(this.#client, this.#bridge, network !== 'stall');
    if (this.#greeted) flow(this.#bridge, this.#client, network === 'pass');
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#bridge.resetAndDestroy();
  }
}

function flow(from: Socket, to: Socket, on: boolean): void {
  from.unpipe(to);
  if (on) from.pipe(to);
  else from.pause();
}
