import type { Fault } from './plan.ts';
import type { Simulation } from './simulation.ts';

const MINUTE = 60_000;
/** After a fault everything is in time again within it: pauses between tries, an audit, the Collector's queue. */
const RECOVERY_MS = 15 * MINUTE;
/** A watch that died is noticed by an audit, and the Collector restarted. */
const DEAD_WATCH_MS = 45 * MINUTE;

/** The times in which something was in the way: what is late then is nobody's fault. */
export class Quiet {
  readonly #troubles: readonly (readonly [number, number])[];

  constructor({ plan, lives, scheduler }: Simulation) {
    const faults = plan.acts.flatMap((act): [number, number][] => {
      if ('cronJob' in act || 'workload' in act) return [];
      return [[plan.startAt + act.at, plan.startAt + act.at + lastsMs(act) + RECOVERY_MS]];
    });
    const starts = lives.map(({ startedAt }, n): [number, number] => {
      return [lives[n - 1]?.diedAt ?? 0, startedAt + RECOVERY_MS];
    });
    const left: [number, number] = [lives.at(-1)?.diedAt ?? 0, scheduler.now];
    this.#troubles = [...faults, ...starts, ...(left[0] < Infinity ? [left] : [])];
  }

  /** Whether nothing was in the way of anything. */
  is(from: number, to: number): boolean {
    return this.#troubles.every(([begin, end]) => end < from || begin > to);
  }
}

function lastsMs(act: Fault): number {
  if (act.act === 'dead-watch' || act.act === 'restore-etcd') return DEAD_WATCH_MS;
  if ('downMs' in act) return act.downMs;
  return act.act === 'trouble' || act.act === 'reconfigure' ? act.ms : 0;
}
