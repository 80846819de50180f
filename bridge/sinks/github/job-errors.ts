import type { Delivery } from '../sink.ts';
import { fieldsOf } from './fields.ts';
import { forbidden } from './probe.ts';
import type { RecordRow } from './record-row.ts';

type Field = 'deployment_name' | 'digest' | 'name';

/** What a job says of a record that it did not take, by the first of its fields that names the record. */
interface Rejection {
  readonly cause: string;
  readonly field: Field | undefined;
  readonly value: string;
}

const FIELDS: readonly Field[] = ['deployment_name', 'digest', 'name'];
const DELIVERED: Delivery = { outcome: 'delivered' };

/** Only a request of its own says what is wrong with the record, or whether it is the one that is meant. */
export const SEND_ALONE: Delivery = { outcome: 'retry', reason: 'rejected_by_job', afterMs: 1_000 };

/**
 * One delivery for each row of a job, by the errors that it reported. Their form is not published: those with the fields of
 * a record are read, and those with a `deployment` that has them. One that names no record is about all of them.
 */
export function verdicts(rows: readonly RecordRow[], errors: readonly unknown[]): Delivery[] {
  const rejections = errors.map(rejectionOf);
  const byField = Map.groupBy(rejections, ({ field, value }) => keyOf(field, value));
  const digests = Map.groupBy(rows, ({ record }) => record.name);
  return rows.map((one) => {
    const said = [...FIELDS, undefined].flatMap((field) => byField.get(keyOf(field, fieldOf(one, field))) ?? []);
    const [first] = said;
    if (first === undefined) return DELIVERED;
    const isExact =
      first.field !== 'name' || isOne((digests.get(one.record.name) ?? []).map((row) => row.record.digest));
    return isExact ? rejected(first, one) : SEND_ALONE;
  });
}

function rejected({ cause, field }: Rejection, { row, record }: RecordRow): Delivery {
  const detail = `a job for many records answered ${cause || 'an error without a cause'} for ${record.name}@${record.digest}`;
  if (field === undefined) return SEND_ALONE;
  if (cause === 'not_found') return { outcome: 'drop', reason: 'unknown_artifact', detail };
  if (cause === 'unauthorized') return forbidden(detail, row.attempt);
  return SEND_ALONE;
}

function rejectionOf(error: unknown): Rejection {
  const item = fieldsOf(error);
  const deployment = { ...item, ...fieldsOf(item['deployment']) };
  const cause = typeof item['cause'] === 'string' ? item['cause'].slice(0, 100) : '';
  const field = FIELDS.find((name) => typeof deployment[name] === 'string' && deployment[name] !== '');
  return { cause, field, value: field === undefined ? '' : String(deployment[field]) };
}

const keyOf = (field: Field | undefined, value: string): string => `${field ?? ''}=${value}`;

function fieldOf({ record }: RecordRow, field: Field | undefined): string {
  return field === undefined ? '' : record[field];
}

/** Whether all texts are the same. */
function isOne(texts: readonly string[]): boolean {
  return texts.every((text) => text === texts[0]);
}
