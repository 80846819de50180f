import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { CallMessage, WorkerInit } from './protocol.ts';
import { serve } from './service.ts';

/** The worker thread. */
serve(workerData as WorkerInit, {
  post: (messages) => parentPort?.postMessage(messages),
  onCalls: (take) => void parentPort?.on('message', take),
  next: () => {
    return parentPort === null ? undefined : (receiveMessageOnPort(parentPort)?.message as CallMessage[] | undefined);
  },
});
