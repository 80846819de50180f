import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/** The least that a Node process with a worker thread can do: one message a second to it. */
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  setInterval(() => worker.postMessage('tick'), 1_000);
  process.once('disconnect', () => process.exit());
} else {
  parentPort?.on('message', () => undefined);
}
