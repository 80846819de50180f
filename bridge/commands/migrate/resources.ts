import { isTree, type Tree } from '../../config/tree.ts';

/** What the chart asks for: subcharts/bridge/values.yaml. */
export const OWN_RESOURCES = {
  requests: { cpu: '50m', memory: '256Mi' },
  limits: { cpu: '1', memory: '512Mi' },
} as const;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number (cores, bytes); undefined when it is not a quantity. */
function quantity(value: unknown): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?|\.\d+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(value)) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit ?? ''] ?? 1);
}

interface Larger {
  readonly resources: Tree;
  /** Paths whose old value is less than ours. */
  readonly raised: readonly string[];
  readonly unreadable: readonly string[];
}

/** Of each amount the larger one, and no limit below its request; the memory limit in Mi, as the chart wants it. */
export function largerResources(old: Tree): Larger {
  const raised: string[] = [];
  const unreadable: string[] = [];
  const larger = (part: 'requests' | 'limits', name: 'cpu' | 'memory', least: unknown): unknown => {
    const given = entry(old, part, name);
    if (given === undefined) return least;
    const [mine, theirs] = [quantity(least) ?? 0, quantity(given)];
    if (theirs === undefined) unreadable.push(`${part}.${name}`);
    else if (theirs < mine) raised.push(`${part}.${name}`);
    return theirs !== undefined && theirs > mine ? `${given as string | number}` : least;
  };
  const others = (part: string): Tree => {
    const tree = old[part];
    const rest = isTree(tree) ? Object.entries(tree).filter(([name]) => name !== 'cpu' && name !== 'memory') : [];
    return Object.fromEntries(rest);
  };
  const requests = {
    cpu: larger('requests', 'cpu', OWN_RESOURCES.requests.cpu),
    memory: larger('requests', 'memory', OWN_RESOURCES.requests.memory),
  };
  const most = (a: string, b: unknown): unknown => ((quantity(b) ?? 0) > (quantity(a) ?? 0) ? b : a);
  const limits = {
    cpu: larger('limits', 'cpu', most(OWN_RESOURCES.limits.cpu, requests.cpu)),
    memory: mebibytes(larger('limits', 'memory', most(OWN_RESOURCES.limits.memory, requests.memory))),
  };
  const resources = { requests: { ...requests, ...others('requests') }, limits: { ...limits, ...others('limits') } };
  return { resources, raised, unreadable };
}

function entry(tree: Tree, part: string, name: string): unknown {
  const inner = tree[part];
  return isTree(inner) ? (inner[name] ?? undefined) : undefined;
}

function mebibytes(value: unknown): unknown {
  return /^\d+(Mi|Gi)$/.test(String(value)) ? value : `${Math.ceil((quantity(value) ?? 0) / 2 ** 20)}Mi`;
}
