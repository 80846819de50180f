import { errorText, UserError } from '../../../lib/errors.ts';
import { isDiskFull, isLost } from '../db/trouble.ts';
import { isBusy } from './lock.ts';

/** What SQLite threw at a reader of the store at `path`, as a person needs it; other errors stay what they are. */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !('errcode' in error)) return error;
  const text = errorText(error);
  if (isBusy(error)) {
    const next =
      'Try again; if it stays so, end the process that keeps it open (lsof shows it). A bridge locks no readers.';
    return new UserError(`the store ${path} is locked by another process`, next);
  }
  if (isLost(error)) {
    const next =
      'If it is the store of a bridge, start that: it moves a broken store aside and makes a new one. Else check the path.';
    return new UserError(`${path} cannot be read as a store: ${text}`, next);
  }
  if (text === 'no such table: migrations') {
    return new UserError(
      `${path} is not a store of lifecycle-bridge`,
      'Check the path, or start the bridge once: it makes its store.',
    );
  }
  const next =
    'Check the path, and whether this user may read the file and its folder. If the store is broken, a start of the bridge replaces it.';
  return new UserError(`the store ${path} cannot be read: ${text}`, next);
}

/** Why a store cannot be opened, and what to do. */
export function unusable(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const text = `the store ${path} cannot be opened: ${errorText(error)}`;
  if (isDiskFull(error)) {
    return new UserError(
      text,
      'Free room on its disk, or enlarge the volume: the next start goes on where the last one ended. Until then the Collector keeps what happens.',
    );
  }
  return new UserError(
    text,
    'Set store.path to the file of a bridge, or to a new one, in a folder on a local disk that this user may write.',
  );
}
