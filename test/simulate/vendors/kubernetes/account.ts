import type { Tree } from '../../../../bridge/config/tree.ts';
import type { Failure } from '../../checker.ts';
import { ADDTIME } from '../../world/api-server.ts';
import type { KubeObject } from '../../world/objects.ts';
import type { Account, Checking, SimulatedVendor } from '../vendor.ts';

const RESULT = 'timestamp';
const PATIENCE_MS = 30 * 60_000;

/** The cluster itself, as far as the bridge writes to it: timestamps of pods. */
export class KubernetesAccount implements Account {
  readonly violations: { at: number; kind: string; detail: string }[] = [];
  readonly #now: () => number;
  readonly #written = new Map<string, string[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  settings(): Tree {
    return {};
  }

  rotate(): void {}

  handle(): undefined {
    return undefined;
  }

  said(): string {
    return '';
  }

  limitOf(): string {
    return 'kubernetes';
  }

  heard(uid: string): readonly string[] {
    return this.#written.get(uid) ?? [];
  }

  patched(before: KubeObject, after: KubeObject): void {
    const { uid, name } = before.metadata;
    const value = after.metadata.annotations?.[RESULT];
    this.#written.set(uid, [...this.heard(uid), `${value}`]);
    const wrong = (what: string): void =>
      void this.violations.push({ at: this.#now(), kind: 'timestamp', detail: `${what}: pod ${name}` });
    if (!isAsking(before)) wrong('written to a pod that does not ask for it');
    if (before.metadata.annotations?.[RESULT] !== undefined) wrong('written twice');
    if (isOver(before)) wrong('written to a pod that is over');
    if (Number.isNaN(Date.parse(value ?? ''))) wrong(`${value} is not a time`);
    const { annotations: _, resourceVersion: _v, ...rest } = after.metadata;
    const { annotations: _b, resourceVersion: _bv, ...was } = before.metadata;
    if (JSON.stringify(rest) !== JSON.stringify(was)) wrong('changed more than the annotation');
  }
}

const isAsking = ({ metadata }: KubeObject): boolean => metadata.annotations?.[ADDTIME] !== undefined;
const isOver = ({ metadata, status }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed'].includes(String(status['phase']));

/** At the end no pod that asks for a timestamp lives without one. */
function check(_: KubernetesAccount, { simulation, tenures }: Checking): Failure[] {
  const last = tenures.at(-1);
  if (last?.removedAt !== undefined || last?.exceptions.some(({ to }) => to === Infinity) === true) return [];
  const { now } = simulation.scheduler;
  return simulation.api
    .list('pods')
    .filter((pod) => isAsking(pod) && !isOver(pod) && pod.metadata.annotations?.[RESULT] === undefined)
    .filter(({ metadata }) => now - Date.parse(metadata.creationTimestamp) > PATIENCE_MS)
    .map(({ metadata }) => ({
      what: `pod ${metadata.namespace}/${metadata.name} has no timestamp`,
      uid: metadata.uid,
    }));
}

export const kubernetes: SimulatedVendor<KubernetesAccount> = {
  sink: 'kubernetes',
  open: (_, at) => new KubernetesAccount(at),
  check,
};
