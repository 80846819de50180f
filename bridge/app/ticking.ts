import { watch } from 'node:fs';
import type { Ticked, WorkerCalls } from '../ingest/thread/protocol.ts';
import { Alarm } from '../lib/alarm.ts';
import type { Async } from '../lib/async.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reporter } from '../telemetry/reporter.ts';

/** What happened is followed by a tick within it, and there is no more than one in it. */
const TICK_MS = 1_000;
/** Without anything to do. What nothing announces, such as a store that was removed, is seen this late at most. */
const IDLE_MS = 60_000;

export interface Ticking {
  /** Something was written to the store: what is due next may be another thing now. */
  changed(): void;
  /** Before anything else ends that it calls. */
  stop(): void;
}

/**
 * The only clock of the bridge: a tick fires what is due in the store and says when the next thing will be; the bridge
 * sleeps until then. `onTick` wakes all who have something to do at the vendors or in the cluster, if there is something.
 */
export function startTicking(
  calls: Pick<Async<WorkerCalls>, 'tick' | 'probe'>,
  clock: Clock,
  reporter: Pick<Reporter, 'storeFails' | 'storeFailed' | 'storeWorks'>,
  onTick: (ticked: Ticked) => void,
): Ticking {
  let busy = false;
  const tick = async (): Promise<number> => {
    try {
      const ticked = await calls.tick(clock.now());
      // What it found it says once.
      onTick(ticked);
      if (reporter.storeFails) {
        await calls.probe();
        reporter.storeWorks();
      }
      return Math.min(Math.max(ticked.nextAt - clock.now(), TICK_MS), IDLE_MS);
    } catch (error) {
      reporter.storeFailed(error);
      return TICK_MS;
    }
  };
  const ring = async (): Promise<void> => {
    // What comes while the last one hangs is left out.
    if (busy) return alarm.within(TICK_MS);
    busy = true;
    const sleepMs = await tick();
    busy = false;
    alarm.within(sleepMs);
  };
  const alarm = new Alarm(() => void ring());
  alarm.within(TICK_MS);
  return { changed: () => alarm.within(TICK_MS), stop: () => alarm.stop() };
}

/**
 * A store that is removed, replaced or overwritten is found by the next tick: that comes at once where the file system
 * reports changes. Commits go to another file first. Returns how to end it.
 */
export function watchStore(path: string, onChange: () => void): () => void {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on('error', () => undefined);
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
