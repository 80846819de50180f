import type { ClaimedDesired } from '../sink.ts';
import type { DeploymentRecord } from './record.ts';

/** A claimed row and the record that it wants. */
export interface RecordRow {
  readonly row: ClaimedDesired;
  readonly record: DeploymentRecord;
}
