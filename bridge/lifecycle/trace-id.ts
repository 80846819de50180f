import { sha256Hex } from '../lib/ids.ts';
import type { Run } from './transition.ts';

const HEX_32 = /^[0-9a-f]{32}$/;
const ZERO = /^0*$/;

/**
 * The trace of a run, 32 hex digits, wherever it is reported: of a Job or a pod that of its UID, of a rollout, whose objects
 * live on, a hash of its key.
 */
export function traceIdOf({ uid, revision, runKey }: Pick<Run, 'uid' | 'revision' | 'runKey'>): string {
  return revision === undefined ? uidTraceId(uid) : hash(runKey);
}

/** The UID without dashes, so that `kubectl` prints the search key of every backend; a hash where it is not 16 bytes. */
export function uidTraceId(uid: string): string {
  const plain = uid.replaceAll('-', '').toLowerCase();
  return HEX_32.test(plain) && !ZERO.test(plain) ? plain : hash(uid);
}

function hash(text: string): string {
  return sha256Hex(text).slice(0, 32);
}
