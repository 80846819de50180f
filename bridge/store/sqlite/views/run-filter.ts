import type { RunStatus } from '../../../lifecycle/transition.ts';
import type { RunFilter } from '../../read.ts';

/** What follows `WHERE true` in a query of runs, and its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly string[];
}

/** A UID as it is written; a trace id is one without dashes. */
const DASHED = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

export function runCondition({ q, status, namespace, owner }: RunFilter & { readonly status?: RunStatus }): Condition {
  const filters = Object.entries({ status, namespace, owner_name: owner }).filter(([, value]) => value !== undefined);
  const found = q === undefined ? { sql: '', values: [] } : search(q);
  return {
    sql: filters.map(([column]) => ` AND ${column} = ?`).join('') + found.sql,
    values: [...filters.map(([, value]) => value!), ...found.values],
  };
}

/** By a part of its name or of its CronJob's, by the name or UID of one of its pods, or by the beginning of its UID. */
function search(q: string): Condition {
  const given = q.trim().toLowerCase();
  const slash = given.lastIndexOf('/');
  const name = given.slice(slash + 1);
  const place = slash === -1 ? [] : [given.slice(0, given.indexOf('/'))];
  const uid = name.replace(DASHED, '$1-$2-$3-$4-$5');
  const isPart = "(instr(name, ?) OR instr(owner_name, ?) OR instr(?, name || '-') = 1";
  const isUid = 'uid >= ? AND uid < ? || char(0x10ffff) OR uid IN (SELECT run_uid FROM attempts WHERE pod_uid = ?))';
  return {
    sql: `${place.map(() => ' AND namespace = ?').join('')} AND ${isPart} OR ${isUid}`,
    values: [...place, name, name, name, uid, uid, uid],
  };
}
