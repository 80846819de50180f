import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { connectOtlp } from '../otlp-client.ts';

/** An OTLP/gRPC endpoint that hands requests on to the bridge, and its answers back. */
export interface Rewriter {
  /** host:port */
  readonly endpoint: string;
  stop(): void;
}

type Answer = sendUnaryData<Buffer>;

/**
 * Starts one. A request that `rewrite` changes waits for the next one and shares its batch, as requests do in a Collector
 * with a batch processor: what is repeated in a protobuf message is joined by joining the bytes.
 */
export async function startRewriter(
  bridge: string,
  rewrite: (request: Buffer) => Buffer | undefined,
): Promise<Rewriter> {
  const client = connectOtlp(bridge);
  let waiting: { request: Buffer; answer: Answer }[] = [];
  const handle = async (request: Buffer, answer: Answer): Promise<void> => {
    const changed = rewrite(request);
    const all = [...waiting, { request: changed ?? request, answer }];
    waiting = changed === undefined ? [] : all;
    if (changed !== undefined) return;
    const { code, details, response } = await client.export(Buffer.concat(all.map((one) => one.request)));
    for (const one of all) one.answer(response === undefined ? { code, details } : null, response);
  };
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
  const pass = (bytes: Buffer): Buffer => bytes;
  const asBytes = {
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  server.addService(
    { Export: { path, requestStream: false, responseStream: false, ...asBytes } },
    { Export: (call: ServerUnaryCall<Buffer, Buffer>, answer: Answer) => void handle(call.request, answer) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    endpoint: `127.0.0.1:${port}`,
    stop() {
      server.forceShutdown();
      client.close();
    },
  };
}
