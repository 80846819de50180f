import type { MethodDefinition, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { EXPORT_PATH } from '../../bridge/otlp/receive/service.ts';
import { connectOtlp } from '../otlp-client.ts';

const asItIs = (bytes: Buffer): Buffer => bytes;
const EXPORT_METHOD: MethodDefinition<Buffer, Buffer> = {
  path: EXPORT_PATH,
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
};

const COPIES = 3;
/** Every copy arrives at some time in it: the start of a run mostly after its end. */
const WINDOW_MS = 5_000;
const RETRY_MS = 500;

/** Takes what a Collector sends and delivers each request three times, out of order. */
export interface Shuffler {
  /** host:port */
  readonly endpoint: string;
  readonly taken: () => number;
  /** Requests that the bridge has acknowledged, copies included. */
  readonly delivered: () => number;
  close(): void;
}

/** `next` gives numbers in [0, 1) from a seed. */
export async function startShuffler(bridgeEndpoint: string, next: () => number): Promise<Shuffler> {
  const client = connectOtlp(bridgeEndpoint);
  const timers = new Set<NodeJS.Timeout>();
  let taken = 0;
  let delivered = 0;
  const later = (request: Buffer, ms: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void client.export(request).then(({ code }) => {
        if (code === status.OK) delivered++;
        else later(request, RETRY_MS);
      });
    }, ms);
    timers.add(timer);
  };
  const server = new Server();
  server.addService(
    { Export: EXPORT_METHOD },
    {
      Export: ({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        taken++;
        for (let copy = 0; copy < COPIES; copy++) later(request, next() * WINDOW_MS);
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    endpoint: `127.0.0.1:${port}`,
    taken: () => taken,
    delivered: () => delivered,
    close: () => {
      server.forceShutdown();
      timers.forEach((timer) => clearTimeout(timer));
      client.close();
    },
  };
}
