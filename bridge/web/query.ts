import type { RunStatus } from '../lifecycle/transition.ts';
import { type Reason, REASONS } from '../lib/reasons.ts';
import type { DeliveryStatus } from '../store/delivery-view.ts';
import type { DropKind, ListQuery } from '../store/read.ts';
import { DELIVERY_LOOKS, DROP_LABELS, RUN_LOOKS } from './parts.ts';

/** A query that cannot be answered: the parameter, what was given and what is allowed. */
export class BadQuery extends Error {
  readonly parameter: string;
  readonly given: string;
  readonly allowed: string;
  constructor(parameter: string, given: string, allowed: string) {
    super(`the parameter ${parameter} is not valid`);
    this.name = 'BadQuery';
    this.parameter = parameter;
    this.given = given;
    this.allowed = allowed;
  }
}

const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 50;

type Given = Readonly<Record<string, unknown>>;
type Text = Readonly<Record<string, string>>;

/** The parameters of a request; throws BadQuery for one that is unknown or given twice. */
function texts(query: Given, known: readonly string[]): Text {
  const entries = Object.entries(query).map(([name, value]) => {
    if (!known.includes(name)) throw new BadQuery(name, String(value), `one of the parameters ${known.join(', ')}`);
    if (typeof value !== 'string') throw new BadQuery(name, String(value), 'one value');
    return [name, value] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function paged({ limit, cursor }: Text): ListQuery {
  const count = limit === undefined ? DEFAULT_LIMIT : Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > MAX_LIMIT)
    throw new BadQuery('limit', limit ?? '', `a whole number from 1 to ${MAX_LIMIT}`);
  return cursor === undefined ? { limit: count } : { limit: count, cursor };
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  looks: Readonly<Record<T, unknown>>,
): { [K in string]: T } {
  if (value === undefined) return {};
  if (!isKey(value, looks)) throw new BadQuery(name, value, Object.keys(looks).join(', '));
  return { [name]: value };
}

function isKey<T extends string>(value: string, looks: Readonly<Record<T, unknown>>): value is T {
  return Object.hasOwn(looks, value);
}

export type RunsQuery = ListQuery & { q?: string; status?: RunStatus; namespace?: string; owner?: string };
export type DeliveriesQuery = ListQuery & { status?: DeliveryStatus; destination?: string };

export type DropsQuery = ListQuery & { reason?: Reason; kind?: DropKind };
export type ProblemsQuery = ListQuery & { namespace?: string; name?: string };
export type CronJobsQuery = ListQuery & { withoutRun?: boolean; namespace?: string };

export function runsQuery(query: Given): RunsQuery {
  const given = texts(query, ['q', 'status', 'namespace', 'owner', 'limit', 'cursor']);
  const status = oneOf('status', given['status'], RUN_LOOKS);
  return { ...paged(given), ...status, ...picked(given, ['q', 'namespace', 'owner']) };
}

export function deliveriesQuery(query: Given): DeliveriesQuery {
  const given = texts(query, ['status', 'destination', 'limit', 'cursor']);
  return { ...paged(given), ...oneOf('status', given['status'], DELIVERY_LOOKS), ...picked(given, ['destination']) };
}

export function dropsQuery(query: Given): DropsQuery {
  const given = texts(query, ['reason', 'kind', 'limit', 'cursor']);
  const reason = oneOf('reason', given['reason'], REASONS);
  return { ...paged(given), ...reason, ...oneOf('kind', given['kind'], DROP_LABELS) };
}

export function cronJobsQuery(query: Given): CronJobsQuery {
  const given = texts(query, ['runs', 'namespace', 'limit', 'cursor']);
  const none = oneOf('runs', given['runs'], { none: true });
  return { ...paged(given), ...picked(given, ['namespace']), ...(none['runs'] !== undefined && { withoutRun: true }) };
}

export function problemsQuery(query: Given): ProblemsQuery {
  const given = texts(query, ['namespace', 'name', 'limit', 'cursor']);
  return { ...paged(given), ...picked(given, ['namespace', 'name']) };
}

/** The query of a list without filters. */
export function listQuery(query: Given): ListQuery {
  return paged(texts(query, ['limit', 'cursor']));
}

function picked(given: Text, names: readonly string[]): Text {
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
}

/** A query as link parameters. */
export function parameters(
  query: RunsQuery | DeliveriesQuery | DropsQuery | ProblemsQuery,
): Record<string, string | undefined> {
  const entries = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(entries.filter(([name, value]) => name !== 'limit' || value !== String(DEFAULT_LIMIT)));
}

/** The number of a quarantined row; 0, which no row has, for anything that is not a number. */
export function quarantineId(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
}
