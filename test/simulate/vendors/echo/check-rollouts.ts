import type { Failure } from '../../checker.ts';
import { withoutRepeats } from '../../heard.ts';
import { cutoffOf } from '../../runs.ts';
import type { ShownObject } from '../../shown.ts';
import type { RolloutTruth } from '../../world/truth.ts';
import type { Checking } from '../vendor.ts';
import type { Report } from './account.ts';

export interface HeardReport extends Report {
  readonly said: string;
}

/** What is wrong with what was reported of rollouts: each once, and as it ended, as far as the bridge was shown it. */
export function checkRollouts(checking: Checking, reports: readonly HeardReport[]): Failure[] {
  const byUid = Map.groupBy(reports, ({ uid }) => uid);
  return [...checking.simulation.truth.workloads.values()].flatMap(({ rollouts, name, namespace }) =>
    rollouts.flatMap((rollout, n) => {
      const heard = (byUid.get(rollout.uid) ?? []).toSorted((a, b) => a.heardAt - b.heardAt);
      const what = wrongWith(checking, rollout, rollouts[n + 1], heard);
      const of = `${namespace}/${name} revision ${rollout.revision}`;
      return what === undefined ? [] : [{ what: `${of}: ${what}`, uid: rollout.uid }];
    }),
  );
}

function wrongWith(
  checking: Checking,
  rollout: RolloutTruth,
  next: RolloutTruth | undefined,
  heard: readonly HeardReport[],
): string | undefined {
  const reported = withoutRepeats(
    checking,
    heard.map((report) => ({ ...report, at: report.heardAt, reported: report })),
  );
  if (typeof reported === 'string') return reported;
  const edges = reported.map((one) => one.reported).filter(({ kind }) => kind !== 'run.settled');
  const [first, ...ends] = edges;
  const facts = new Seen(checking, rollout, next);
  if (first === undefined) return facts.mustBeReported() ? 'nothing was reported' : undefined;
  if (first.kind !== 'run.started') return `first reported ${first.kind}`;
  if (ends.some(({ kind }) => kind === 'run.started')) return 'two starts';
  const { startedAt } = rollout;
  if (startedAt !== undefined && first.at !== startedAt) return `start reported at ${first.at}, was ${startedAt}`;
  if (ends.slice(1).some(({ corrects }) => !corrects))
    return `reported ${ends.map(({ outcome }) => outcome).join(' ')}`;
  const last = ends.at(-1)?.outcome ?? undefined;
  return facts.mayEndAs(last) ? undefined : `ended as ${last}, was ${rollout.outcome} (${facts.text()})`;
}

/** What the bridge was shown of a rollout. */
class Seen {
  readonly #rollout: RolloutTruth;
  readonly #checking: Checking;
  readonly #workload: ShownObject | undefined;
  /** When it was shown first that the revision is rolled out, and that the next one is. */
  readonly #at: number;
  readonly #nextAt: number;
  readonly #isProven: boolean;

  constructor(checking: Checking, rollout: RolloutTruth, next: RolloutTruth | undefined) {
    const { shown } = checking.simulation;
    this.#checking = checking;
    this.#rollout = rollout;
    this.#workload = shown.get(rollout.workload.uid);
    this.#at = this.#firstOf(rollout);
    this.#nextAt = next === undefined ? Infinity : this.#firstOf(next);
    this.#isProven = rollout.proofs.some((version) => this.#workload?.versions?.has(version) === true);
  }

  /** Of one that the bridge saw begin, and before the next. */
  mustBeReported(): boolean {
    const { tenures } = this.#checking;
    const isNew = this.#rollout.startedAt !== undefined && this.#rollout.startedAt > cutoffOf(tenures[0]!);
    const wasFollowed = this.#workload !== undefined && this.#workload.at < this.#at;
    return isNew && wasFollowed && this.#at < this.#nextAt && this.#at < Infinity;
  }

  mayEndAs(reported: string | undefined): boolean {
    const { outcome, workload } = this.#rollout;
    if (reported === outcome) return true;
    if (reported === undefined)
      return !this.#isProven && this.#nextAt === Infinity && this.#workload?.deletedAt === undefined;
    if (this.#isProven && (outcome === 'succeeded' || outcome === 'failed')) return false;
    // What ended it is not what the bridge was shown of it.
    if (reported === 'superseded' || reported === 'rolled_back') return this.#nextAt < Infinity;
    return reported === 'cancelled' && workload.deletedAt !== undefined;
  }

  #firstOf({ versions, child, childVersion }: RolloutTruth): number {
    const shown = this.#workload?.versions;
    const own = versions.map((version) => shown?.get(version) ?? Infinity);
    const children = this.#checking.simulation.shown.get(child)?.versions ?? new Map<number, number>();
    const named = [...children].filter(([version]) => version >= childVersion).map(([, at]) => at);
    return Math.max(Math.min(...own, Infinity), Math.min(...named, Infinity));
  }

  text(): string {
    const { versions, proofs } = this.#rollout;
    return `shown ${this.#at}, next ${this.#nextAt}, proven ${this.#isProven}, versions ${versions.join()}, proofs ${proofs.join()}`;
  }
}
