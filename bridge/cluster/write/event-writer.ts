import type { Async } from '../../lib/async.ts';
import { backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { Wake } from '../../lib/wake.ts';
import type { DueEvent, ProblemStore, SettledEvent } from '../../store/problems.ts';
import type { KubeApi } from '../api.ts';
import type { EventResult } from './post-event.ts';
import { postEvent } from './post-event.ts';
import { problemText } from './problem-event.ts';

export interface EventWriterOptions {
  readonly api: KubeApi;
  readonly store: Async<ProblemStore>;
  readonly clock: Clock;
  /** Asked until it says true: whether this is the cluster of the store. */
  readonly isOurs: (signal: AbortSignal) => Promise<boolean>;
  readonly onResult: (result: EventResult) => void;
  readonly onError: (error: unknown) => void;
  /** Where the page has what an Event is about. */
  readonly link?: string | undefined;
  /** Between two rounds with Events. */
  readonly tickMs?: number;
  /** Between two looks without being woken. */
  readonly idleMs?: number;
}

/** Of one round: a new account may find something wrong with every object at once. */
const BATCH = 10;
const TICK_MS = 2_000;
/** When nothing is due: it is woken. */
const IDLE_MS = 60_000;
const RETRY = { firstMs: 5_000, maxMs: 10 * 60_000 };
/** A permission is a decision of people: asking often does not change it. */
const FORBIDDEN_MS = 3_600_000;

export interface EventWriter {
  /** Something may be due. */
  wake(): void;
  stop(): Promise<void>;
}

/** Writes an Event of type Warning on each object whose annotations cannot be read. */
export function startEventWriter(options: EventWriterOptions): EventWriter {
  const stopping = new AbortController();
  const [sleep, pause] = [new Wake(), new Wake()];
  const running = run(options, sleep, pause, stopping.signal);
  return {
    wake: () => sleep.wake(),
    async stop() {
      stopping.abort();
      sleep.wake();
      pause.wake();
      await running;
    },
  };
}

async function run(options: EventWriterOptions, sleep: Wake, pause: Wake, signal: AbortSignal): Promise<void> {
  const { isOurs, onError, tickMs = TICK_MS, idleMs = IDLE_MS } = options;
  let ours = false;
  while (!signal.aborted) {
    let more = true;
    try {
      ours ||= await isOurs(signal);
      more = !ours || (await round(options, signal));
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    if (signal.aborted) return;
    // Between two rounds with Events nothing wakes it.
    await (more ? pause.wait(tickMs) : sleep.wait(idleMs));
  }
}

/** True when there may be more. */
async function round(options: EventWriterOptions, signal: AbortSignal): Promise<boolean> {
  const { api, store, clock, link, onResult } = options;
  const settled: SettledEvent[] = [];
  const due = signal.aborted ? [] : await store.dueEvents(BATCH, clock.now());
  for (const event of due) {
    const result = await postEvent(api, problemText(event, link), event.setHash, clock.now(), signal);
    // What a stop interrupts is due at the next start.
    if (signal.aborted) break;
    settled.push(settlement(event, result));
    onResult(result);
    if (result.result === 'unreachable') break;
  }
  if (settled.length > 0) await store.settleEvents(settled, clock.now());
  return due.length > 0;
}

function settlement({ uid, setHash, attempt }: DueEvent, result: EventResult): SettledEvent {
  if (result.result === 'written') return { uid, setHash };
  const pauseMs = result.result === 'forbidden' ? FORBIDDEN_MS : backoffDelay(attempt, RETRY, Math.random());
  const delayMs = Math.max(pauseMs, Math.min(result.afterMs ?? 0, FORBIDDEN_MS));
  return { uid, setHash, failed: { error: result.error, delayMs } };
}
