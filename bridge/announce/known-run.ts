import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { NamespaceFacts } from '../kubernetes/kinds/namespace.ts';
import type { CronJobFacts, Facts } from '../kubernetes/observation.ts';
import { eventSubjects } from '../lifecycle/event.ts';
import type { Attempt, ObjectRef, Run } from '../lifecycle/transition.ts';
import { objectOf } from '../lifecycle/transition.ts';
import type { Json } from '../lib/json.ts';
import type { PlanContext } from '../sinks/sink.ts';
import type { Tx } from '../store/tx.ts';
import { factsOf } from '../turn/object-rows.ts';

/** The owner of an owner of … of a pod is as far as anyone goes. */
const MAX_OWNERS = 5;

/** The CronJob that owns a run, live or deleted, as far as it was seen. */
export function cronJobOf(tx: Tx, run: Run): CronJobFacts | undefined {
  const row = run.ownerUid === undefined ? undefined : tx.objects.get(run.ownerUid);
  return row?.kind === 'CronJob' ? factsOf<CronJobFacts>(row) : undefined;
}

/** Any object, live or deleted, as far as it was seen. */
export function seenFacts(tx: Tx, uid: string): Facts | undefined {
  const row = tx.objects.get(uid);
  return row && factsOf(row);
}

/** An owner and its own owners, nearest first, live or deleted, as far as they were seen. */
export function ownersOf(tx: Tx, uid: string | undefined): Facts[] {
  const owners: Facts[] = [];
  for (let next = uid; next !== undefined && owners.length < MAX_OWNERS; next = owners.at(-1)?.owner?.uid) {
    const row = tx.objects.get(next);
    if (row === undefined) break;
    owners.push(factsOf(row));
  }
  return owners;
}

/** A namespace, live or deleted, where it was seen: its last pods may come after its deletion. */
export function namespaceOf(tx: Tx, name: string): NamespaceFacts | undefined {
  const row = tx.objects.namespace(name);
  return row && factsOf<NamespaceFacts>(row);
}

/** What planners ask about one run, or one object without a run, while its transitions are planned: read when the first asks. */
export class Known {
  readonly #tx: Tx;
  readonly #run: Run | undefined;
  #owners: readonly Facts[] | undefined;
  #attempts: readonly Attempt[] | undefined;

  constructor(tx: Tx, run: Run | undefined) {
    this.#tx = tx;
    this.#run = run;
  }

  /** The context of one destination; `about`: the object of a transition. */
  contextOf(destination: string, memo: Json | undefined, about: ObjectRef): PlanContext {
    const tx = this.#tx;
    const run = this.#run;
    return {
      run,
      memo,
      object: () => this.#facts(about.uid),
      facts: (uid) => this.#facts(uid),
      runObject: () => run && this.#facts(objectOf(run).uid),
      owners: () => this.#ownersOf(about),
      namespace: () => namespaceOf(tx, about.namespace),
      attempts: () => this.#allAttempts(),
      attempt: (podUid) =>
        this.#attempts?.find((attempt) => attempt.podUid === podUid) ?? (run && tx.runs.attempts(run.uid, podUid)[0]),
      logs: () => (run === undefined ? [] : tx.logs.ofRun(run.uid)),
      events: () => this.#events(about),
      stickyKey: () => {
        const [owner] = this.#ownersOf(about);
        return owner && tx.desired.stickyKey(destination, owner);
      },
    };
  }

  #allAttempts(): readonly Attempt[] {
    const run = this.#run;
    return run === undefined ? [] : (this.#attempts ??= this.#tx.runs.attempts(run.uid));
  }

  #facts(uid: string): Facts | undefined {
    return seenFacts(this.#tx, uid);
  }

  #events(about: ObjectRef): readonly EventFacts[] {
    const uids = [...this.#ownersOf(about).map(({ uid }) => uid), about.uid];
    const run = this.#run;
    return this.#tx.events.about(run === undefined ? uids : eventSubjects(run, this.#allAttempts(), uids));
  }

  /** A rollout belongs to the workload that it is of; an object without a run, to its controller. */
  #ownersOf({ uid }: ObjectRef): readonly Facts[] {
    if (this.#owners !== undefined) return this.#owners;
    this.#owners = ownersOf(this.#tx, this.#run === undefined ? this.#facts(uid)?.owner?.uid : this.#run.ownerUid);
    return this.#owners;
  }
}
