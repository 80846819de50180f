import type { Thing } from './world.ts';

export const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ReplicaSet'] as const;
export const CONTAINERS = [['app'], ['app', 'proxy'], ['app', 'init/setup']] as const;

export interface Workload {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  readonly uid: string;
  readonly age: number;
  containers: readonly string[];
  replicas: number;
  image: number;
  leaving: boolean;
  /** Of a Deployment its newest ReplicaSet, of a CronJob its newest Job: what owns new pods. */
  child: Thing | undefined;
  children: Thing[];
}

export interface Pod {
  readonly name: string;
  readonly of: Workload;
  readonly owner: Thing;
  readonly age: number;
  phase: string;
  runs: Record<string, string>;
}

export const short = (key: string): string => key.replace('init/', '');
export const letter = (number: number): string => 'abcdef'[Math.floor(number / 7) % 6]!;
export const isBatch = (kind: string): boolean => kind === 'Job' || kind === 'CronJob';
export const isOfJob = ({ of }: Pod): boolean => isBatch(of.kind);
export const isOlder = (a: Workload, b: Workload): boolean => a.age < b.age;
export const nameOf = (of: Workload, key: string): string => `shop/${of.name}/${short(key)}`;

export function pick<T>(from: readonly T[], number: number): T | undefined {
  return from.length === 0 ? undefined : from[Math.floor(number / 17) % from.length];
}
