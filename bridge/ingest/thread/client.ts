import { Worker } from 'node:worker_threads';
import type { Async } from '../../lib/async.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import type { Recovery } from '../../store/store.ts';
import { Pulse } from './pulse.ts';
import type { CallMessage, Committed, Method, WorkerCalls, WorkerInit, WorkerMessage } from './protocol.ts';

/** What a batch leaves behind dies young. Much more than this only keeps 100 MiB that are not used (docs/benchmarks.md). */
const YOUNG_MIB = 36;

/** Calls that wait for their answer; once the thread has ended none will come. */
interface Waiting {
  readonly pulse: Pulse;
  readonly pending: Map<number, Pending>;
  ended: Error | undefined;
}

interface Pending {
  readonly method: Method;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The store is corrupted or gone: a new start makes a new one. */
export class StoreLostError extends Error {}

export interface WorkerClient {
  /** Each rejects once the thread has ended. */
  readonly calls: Async<WorkerCalls>;
  /** Set when the store came in place of another one. */
  readonly recovery: Recovery | undefined;
  /** Seconds in which the thread was asked and said nothing: a long commit, or it hangs. */
  readonly silentSeconds: () => number;
  /** Ends the thread: after `calls.close()`, or in the middle of what it does. */
  stop(): Promise<void>;
}

/** What of a worker thread is used. */
export interface Thread {
  on(event: 'message', hear: (messages: readonly WorkerMessage[]) => void): unknown;
  once(event: 'error', hear: (error: unknown) => void): unknown;
  once(event: 'exit', hear: (code: number) => void): unknown;
  postMessage(calls: readonly CallMessage[], handedOver: ArrayBuffer[]): void;
  terminate(): Promise<unknown>;
}

function startThread(workerData: WorkerInit): Thread {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
}

export interface WorkerEvents {
  /** A call that may have changed what is due next was answered. */
  readonly onWritten?: () => void;
  /** Called each second while an answer is awaited, with the seconds since the last sign of life. */
  readonly onSilence?: (seconds: number) => void;
}

/** Starts the worker thread; throws a UserError when it cannot open the store. */
export async function startWorker(
  init: WorkerInit,
  onCommitted: (committed: Committed) => void,
  onCrash: (error: Error) => void,
  { onWritten = () => undefined, onSilence }: WorkerEvents = {},
  start: (init: WorkerInit) => Thread = startThread,
): Promise<WorkerClient> {
  const worker = start(init);
  const pending: Waiting['pending'] = new Map();
  const pulse = new Pulse(() => pending.size > 0, onSilence);
  const waiting: Waiting = { pulse, pending, ended: undefined };
  let stopping = false;
  const crash = (error: Error): void => {
    waiting.ended ??= error;
    for (const { reject } of waiting.pending.values()) reject(error);
    waiting.pending.clear();
    if (!stopping) onCrash(error);
  };
  const recovery = await new Promise<Recovery | undefined>((resolve, reject) => {
    const starting = { resolve, reject };
    worker.on('message', (messages: readonly WorkerMessage[]) => {
      for (const message of messages) hear(message, starting, waiting, { onCommitted, onCrash, onWritten });
      pulse.heard();
    });
    worker.once('error', (error) => (reject(error), crash(asError(error))));
    worker.once('exit', (code) => crash(new Error(`the store thread ended with code ${code}`)));
  });
  return {
    calls: callsOf(worker, waiting),
    recovery,
    silentSeconds: () => pulse.silentSeconds,
    async stop() {
      stopping = true;
      pulse.stop();
      await worker.terminate();
    },
  };
}

interface Hearers {
  readonly onCommitted: (committed: Committed) => void;
  readonly onCrash: (error: Error) => void;
  readonly onWritten: () => void;
}

function hear(
  message: WorkerMessage,
  start: { readonly resolve: (recovery: Recovery | undefined) => void; readonly reject: (error: Error) => void },
  { pending }: Waiting,
  { onCommitted, onCrash, onWritten }: Hearers,
): void {
  if (message.type === 'ready') start.resolve(message.recovery);
  else if (message.type === 'refused') start.reject(new UserError(message.message, message.next));
  else if (message.type === 'lost') onCrash(new StoreLostError(message.error));
  else if (message.type === 'committed') onCommitted(message.committed);
  else if (settle(pending, message).some((method) => method === undefined || METHODS[method] === 'writes')) onWritten();
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The methods of the calls that were answered. */
function settle(
  pending: Map<number, Pending>,
  message: Extract<WorkerMessage, { type: 'answer' | 'failed' }>,
): (Method | undefined)[] {
  const ids = message.type === 'answer' ? message.ids : [message.id];
  return ids.map((id) => {
    const call = pending.get(id);
    pending.delete(id);
    if (message.type === 'answer') call?.resolve(message.value as never);
    else call?.reject(new Error(message.error));
    return call?.method;
  });
}

/** Every call; a table without one does not compile. What only `looks` for something to do does not change by itself what is due. */
const METHODS: Readonly<Record<Method, 'looks' | 'writes'>> = {
  ingest: 'writes',
  observe: 'writes',
  observeWatched: 'writes',
  tick: 'looks',
  probe: 'looks',
  claim: 'looks',
  settle: 'writes',
  isDue: 'looks',
  recentlySent: 'looks',
  claimDesired: 'looks',
  settleDesired: 'writes',
  claimJournal: 'looks',
  settleJournal: 'writes',
  retryRefused: 'writes',
  sweep: 'looks',
  dueEvents: 'looks',
  settleEvents: 'writes',
  wantedLogs: 'looks',
  settleLogs: 'writes',
  resend: 'writes',
  clockSet: 'writes',
  retire: 'writes',
  close: 'looks',
  identify: 'writes',
  auditBegin: 'looks',
  auditPage: 'looks',
  auditScan: 'looks',
  auditSame: 'looks',
  auditEnd: 'writes',
  auditWatches: 'looks',
  auditConnected: 'writes',
  auditRestart: 'writes',
};

function callsOf(worker: Thread, waiting: Waiting): Async<WorkerCalls> {
  let lastId = 0;
  let calls: CallMessage[] = [];
  const send = (): void => {
    const sent = calls;
    calls = [];
    try {
      worker.postMessage(sent, sent.flatMap(handedOver));
    } catch (error) {
      for (const { id } of sent) settle(waiting.pending, { type: 'failed', id, error: errorText(error) });
    }
  };
  const call = (method: Method, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (waiting.ended !== undefined) return reject(waiting.ended);
      const id = ++lastId;
      waiting.pending.set(id, { method, resolve, reject });
      waiting.pulse.asked();
      const first = args[0];
      // All of one turn in one message: to send one costs as much as to decode a record.
      if (calls.length === 0) setImmediate(send);
      const own = first instanceof Uint8Array ? [whole(first), ...args.slice(1)] : args;
      calls.push({ id, method, args: own } as CallMessage);
    });
  const methods = Object.keys(METHODS) as Method[];
  const calling = methods.map((method) => [method, (...args: unknown[]) => call(method, args)]);
  return Object.fromEntries(calling) as Async<WorkerCalls>;
}

/** Bytes that share their buffer with nothing else: a slice of a pool is copied. */
function whole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.length > bytes.buffer.byteLength / 2 ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** Handed over, not cloned: this thread keeps nothing of it. */
function handedOver({ args: [first] }: CallMessage): ArrayBuffer[] {
  return first instanceof Uint8Array ? [(first as Uint8Array<ArrayBuffer>).buffer] : [];
}
