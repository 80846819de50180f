import { REASONS } from '../lib/reasons.ts';
import type { Delivery, Hold } from '../sinks/sink.ts';

const NO_HOLD: Hold = { key: '' };
const INTERRUPTED: Delivery = { outcome: 'retry', reason: 'shutting_down', unknown: true };

/**
 * What `send` answers, one delivery per row. A sink that throws or answers something else is a mistake of ours: every
 * row is tried again, and `onError` hears of it. An abort does not wait for the sink.
 */
export async function answers(
  rows: number,
  send: (signal: AbortSignal) => Promise<readonly Delivery[]>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<readonly Delivery[]> {
  let interrupt = () => {};
  const interrupted = new Promise<readonly Delivery[]>((resolve) => {
    interrupt = () => resolve(Array.from({ length: rows }, () => INTERRUPTED));
  });
  signal.addEventListener('abort', interrupt);
  try {
    return await Promise.race([interrupted, checked(rows, send, signal, onError)]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

async function checked(
  rows: number,
  send: (signal: AbortSignal) => Promise<readonly Delivery[]>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<readonly Delivery[]> {
  try {
    const deliveries = await send(signal);
    if (deliveries.length !== rows)
      return mistake(rows, `the sink gave ${deliveries.length} answers for ${rows} rows`, onError);
    if (Array.from(deliveries).every(isDelivery)) return deliveries;
    return mistake(rows, 'the sink gave an answer that is none', onError);
  } catch (error) {
    // Its message may hold a URL or a key: only the kind of error is reported.
    return mistake(rows, `the sink threw ${error instanceof Error ? error.name : typeof error}`, onError);
  }
}

function isDelivery(given: Delivery | undefined): boolean {
  if (given?.outcome !== 'delivered' && given?.outcome !== 'drop' && given?.outcome !== 'retry') return false;
  if (typeof (given.detail ?? '') !== 'string') return false;
  if (given.outcome === 'delivered') return true;
  const { reason, afterMs = 0, hold = NO_HOLD } = given;
  const { suspect = NO_HOLD } = given.outcome === 'retry' ? given : {};
  if (!Object.hasOwn(REASONS, reason) || !Number.isFinite(afterMs)) return false;
  return typeof hold.key === 'string' && typeof suspect.key === 'string';
}

function mistake(rows: number, detail: string, onError: (error: unknown) => void): readonly Delivery[] {
  onError(new Error(detail));
  return Array.from({ length: rows }, () => ({ outcome: 'retry', reason: 'bad_answer', detail, unknown: true }));
}
