import { Server, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { listen, readLogs, refusalOf, serve, SERVICES } from '../vendors/otlp-receiver.ts';

/** One log record of the Collector, flattened. */
export interface Arrived {
  readonly resource: string;
  readonly cluster: string;
  /** ADDED, MODIFIED or DELETED. */
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** An OTLP/gRPC logs receiver that keeps what it accepted, and refuses when a test asks for it. */
export interface Receiver {
  /** host:port */
  readonly endpoint: string;
  readonly records: () => readonly Arrived[];
  /** The accepted exports as they came. */
  readonly requests: () => readonly Buffer[];
  /** Everything that was ever sent here, refused or not, as text to search in. */
  readonly text: () => string;
  readonly refused: () => number;
  /** From now on answers with `code`, by default UNAVAILABLE, and with RetryInfo of that many ms if given. */
  readonly refuse: (code?: status, retryMs?: number) => void;
  readonly accept: () => void;
  readonly stop: () => void;
}

interface Wrapped {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

export async function startReceiver(): Promise<Receiver> {
  const accepted: Arrived[] = [];
  const requests: Buffer[] = [];
  const sent: Buffer[] = [];
  let refusal: Partial<ServiceError> | undefined;
  let refused = 0;
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  serve(server, SERVICES.Logs, ({ request }, answer) => {
    sent.push(request);
    if (refusal !== undefined) {
      refused += 1;
      answer(refusal);
    } else {
      requests.push(request);
      accepted.push(...decode(request));
      answer(null, Buffer.alloc(0));
    }
  });
  return {
    endpoint: await listen(server),
    records: () => accepted,
    requests: () => requests,
    text: () => Buffer.concat(sent).toString('latin1'),
    refused: () => refused,
    refuse: (code = status.UNAVAILABLE, retryMs) => (refusal = refusalOf(code, retryMs)),
    accept: () => (refusal = undefined),
    stop: () => server.forceShutdown(),
  };
}

function decode(request: Buffer): Arrived[] {
  return readLogs(request).map(({ body, attributes, resource }) => {
    const whole = body as Wrapped & Record<string, unknown>;
    // A watched object is wrapped; a pulled one is the body itself.
    const { type, object } = 'object' in whole ? whole : { type: '', object: whole };
    const metadata = object['metadata'] as { name: string; namespace?: string };
    return {
      resource: String(attributes['k8s.resource.name']),
      cluster: String(resource['k8s.cluster.name']),
      type,
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      object,
    };
  });
}
