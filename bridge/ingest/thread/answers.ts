import type { Config } from '../../config/schema.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Store } from '../../store/store.ts';
import { identify } from '../audit/identify.ts';
import type { Engine } from '../engine.ts';
import { BY_CLOCK } from '../timers.ts';
import type { CallOf, GroupedMethod, Method, Ticked, WorkerCalls } from './protocol.ts';

/** A call that holds no records. */
export type LoneMethod = Exclude<Method, GroupedMethod>;

/** What each of them does; a table without one of them does not compile. */
export type Answers = {
  readonly [M in LoneMethod]: (...args: Parameters<WorkerCalls[M]>) => ReturnType<WorkerCalls[M]>;
};

/** A row that is written to see whether the store can commit; never due. */
const PROBE = { id: 'probe', kind: 'probe', uid: 'probe', due: Number.MAX_SAFE_INTEGER } as const;

export function answersOf(store: Store, engine: Engine, config: Config): Answers {
  const { audit } = engine;
  return {
    ...store,
    clockSet(ms) {
      engine.clockSet(ms);
      store.clockSet(ms);
    },
    retire: (...args) => engine.retire(...args),
    tick: (now) => tick(store, engine, config, now),
    probe: () => store.transaction((tx) => tx.timers.set(PROBE)),
    identify: (found) => identify(store, found),
    auditBegin: (...args) => audit.auditBegin(...args),
    auditSame: (...args) => audit.auditSame(...args),
    auditPage: (...args) => audit.auditPage(...args),
    auditScan: (...args) => audit.auditScan(...args),
    auditEnd: (...args) => audit.auditEnd(...args),
    auditWatches: (...args) => audit.auditWatches(...args),
    auditRestart: (...args) => audit.auditRestart(...args),
    auditConnected: (...args) => audit.auditConnected(...args),
  };
}

export function answer<M extends LoneMethod>(answers: Answers, { method, args }: CallOf<M>): unknown {
  return answers[method](...args);
}

function tick(store: Store, engine: Engine, config: Config, now: Instant): Ticked {
  const engineAt = engine.tick(now);
  const limits = { ...config.store.retention, logAge: config.logs.keep };
  const problems = store.take('problems');
  const plannerFailures = engine.takePlannerFailures();
  const state = store.retain(now, limits);
  const unreadable = store.takeUnreadable();
  const dropped = store.take('dropped');
  const unjudged = store.take('unjudged');
  const nextAt = Math.min(engineAt, store.nextAt(now, BY_CLOCK));
  const work = store.takeWork();
  const found = { problems, plannerFailures, unreadable, dropped, unjudged };
  return { transitions: store.take('transitions'), ended: store.take('ended'), ...found, state, work, nextAt };
}
