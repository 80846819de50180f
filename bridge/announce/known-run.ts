import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { CronJobFacts, Facts } from '../kubernetes/observation.ts';
import { eventSubjects } from '../lifecycle/event.ts';
import type { Attempt, Run } from '../lifecycle/transition.ts';
import type { Json } from '../lib/json.ts';
import type { RunContext } from '../sinks/sink.ts';
import type { Tx } from '../store/tx.ts';
import { stateOf } from '../turn/object-rows.ts';

/** The CronJob that owns a run, live or deleted, as far as it was seen. */
export function cronJobOf(tx: Tx, run: Run): CronJobFacts | undefined {
  const row = run.ownerUid === undefined ? undefined : tx.objects.get(run.ownerUid);
  return row?.kind === 'CronJob' ? stateOf<{ facts: CronJobFacts }>(row).facts : undefined;
}

/** What planners ask about one run while its transitions are planned: each thing is read when the first asks for it. */
export class KnownRun {
  readonly run: Run;
  readonly #tx: Tx;
  #owners: readonly Facts[] | undefined;
  #attempts: readonly Attempt[] | undefined;

  constructor(tx: Tx, run: Run) {
    this.#tx = tx;
    this.run = run;
  }

  /** The context of one destination; `about`: UID of the object of a transition. */
  contextOf(destination: string, memo: Json | undefined, about?: string): RunContext {
    return {
      run: this.run,
      memo,
      owners: () => this.owners(),
      attempts: () => this.attempts(),
      attempt: (podUid) =>
        this.#attempts?.find((attempt) => attempt.podUid === podUid) ?? this.#tx.runs.attempts(this.run.uid, podUid)[0],
      logs: () => this.#tx.logs.ofRun(this.run.uid),
      events: () => this.#events(about),
      stickyKey: () => {
        const [owner] = this.owners();
        return owner && this.#tx.desired.stickyKey(destination, owner.namespace, owner.name);
      },
    };
  }

  attempts(): readonly Attempt[] {
    return (this.#attempts ??= this.#tx.runs.attempts(this.run.uid));
  }

  #events(about: string | undefined): readonly EventFacts[] {
    const owners = this.owners().map(({ uid }) => uid);
    return this.#tx.events.about(
      eventSubjects(this.run, this.attempts(), [...owners, ...(about === undefined ? [] : [about])]),
    );
  }

  owners(): readonly Facts[] {
    if (this.#owners === undefined) {
      const cronJob = cronJobOf(this.#tx, this.run);
      this.#owners = cronJob === undefined ? [] : [cronJob];
    }
    return this.#owners;
  }
}
