import { Worker } from 'node:worker_threads';
import type { Async } from '../lib/async.ts';
import { UserError } from '../lib/errors.ts';
import type { Recovery } from '../store/store.ts';
import { Pulse } from './pulse.ts';
import type { CallMessage, Committed, Method, WorkerCalls, WorkerInit, WorkerMessage } from './protocol.ts';

/** What a batch leaves behind dies young: more than this only keeps 100 MiB that no one uses. */
const YOUNG_MIB = 24;

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

function startThread(workerData: WorkerInit): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
}

export interface WorkerEvents {
  /** A call that may have changed what is due next was answered. */
  readonly onWritten?: () => void;
  /** Told each second while an answer is awaited: for so many seconds nothing came. */
  readonly onSilence?: (seconds: number) => void;
}

/** Starts the worker thread; throws a UserError when it cannot open the store. */
export async function startWorker(
  init: WorkerInit,
  onCommitted: (committed: Committed) => void,
  onCrash: (error: Error) => void,
  { onWritten = () => undefined, onSilence }: WorkerEvents = {},
): Promise<WorkerClient> {
  const worker = startThread(init);
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
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'ready') resolve(message.recovery);
      else if (message.type === 'refused') reject(new UserError(message.message, message.next));
      else if (message.type === 'lost') onCrash(new StoreLostError(message.error));
      else if (message.type === 'committed') onCommitted(message.committed);
      else if (!LOOKS.has(settle(waiting.pending, message))) onWritten();
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

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The method of the call that was answered. */
function settle(
  pending: Map<number, Pending>,
  message: Extract<WorkerMessage, { type: 'answer' | 'failed' }>,
): Method | undefined {
  const call = pending.get(message.id);
  pending.delete(message.id);
  if (message.type === 'answer') call?.resolve(message.value as never);
  else call?.reject(new Error(message.error));
  return call?.method;
}

/** What looks whether there is something to do, and changes nothing by itself. */
const LOOKS: ReadonlySet<Method | undefined> = new Set([
  'tick',
  'probe',
  'claim',
  'claimDesired',
  'sweep',
  'dueEvents',
  'wantedLogs',
  'auditBegin',
  'auditPage',
  'auditScan',
  'auditWatches',
  'close',
]);

const METHODS: readonly Method[] = [
  'ingest',
  'observe',
  'observeWatched',
  'tick',
  'probe',
  'claim',
  'settle',
  'claimDesired',
  'settleDesired',
  'retryRefused',
  'sweep',
  'dueEvents',
  'settleEvents',
  'wantedLogs',
  'settleLogs',
  'resend',
  'clockSet',
  'retire',
  'close',
  'identify',
  'auditBegin',
  'auditPage',
  'auditScan',
  'auditSame',
  'auditEnd',
  'auditWatches',
  'auditConnected',
  'auditRestart',
];

function callsOf(worker: Worker, waiting: Waiting): Async<WorkerCalls> {
  let lastId = 0;
  const call = (method: Method, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (waiting.ended !== undefined) return reject(waiting.ended);
      const message: CallMessage = { id: ++lastId, method, args };
      waiting.pending.set(message.id, { method, resolve, reject });
      waiting.pulse.asked();
      const first = args[0];
      // Handed over, not cloned: this thread keeps nothing of it. A slice of a pool is copied, as others have the rest.
      if (first instanceof Uint8Array) {
        const bytes =
          first.length > first.buffer.byteLength / 2 ? (first as Uint8Array<ArrayBuffer>) : new Uint8Array(first);
        worker.postMessage({ ...message, args: [bytes, ...args.slice(1)] }, [bytes.buffer]);
      } else worker.postMessage(message);
    });
  const calls = METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)]);
  return Object.fromEntries(calls) as Async<WorkerCalls>;
}
