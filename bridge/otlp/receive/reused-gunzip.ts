import { constants, createGunzip } from 'node:zlib';

/** What `gunzipSync` makes for each message and drops again; Node has no public way to use it twice. */
interface Handle {
  onerror: () => void;
  reset(): void;
  writeSync(
    flush: number,
    from: Uint8Array,
    fromOffset: number,
    fromLength: number,
    to: Uint8Array,
    toOffset: number,
    toLength: number,
  ): void;
}

/** Of Node's own stream, after a write: how many bytes are left of the output, and of the input. */
type WriteState = readonly [outputLeft: number, inputLeft: number];

interface Reused {
  readonly handle: Handle;
  readonly left: WriteState;
  failed: boolean;
}

let reused: Reused | 'none' | undefined;

function makeReused(): Reused | 'none' {
  const { _handle: handle, _writeState: left } = createGunzip() as { _handle?: Handle; _writeState?: WriteState };
  if (handle === undefined || left === undefined) return 'none';
  const made: Reused = { handle, left, failed: false };
  // The binding calls this one function.
  // oxlint-disable-next-line prefer-add-event-listener
  handle.onerror = () => (made.failed = true);
  return made;
}

/**
 * The bytes of a whole gzip message of `size` bytes. Undefined when it is anything else, or this Node hides what is needed:
 * then Node's `gunzipSync` decides. That makes a stream and a state of zlib for each message, which costs as much as
 * inflating a record, and the garbage of both as much again.
 */
export function gunzipWhole(bytes: Uint8Array, size: number): Buffer | undefined {
  reused ??= makeReused();
  if (reused === 'none') return undefined;
  const { handle, left } = reused;
  // One byte more: only then zlib gets to the end, where it compares the checksum.
  const into = Buffer.allocUnsafeSlow(size + 1);
  reused.failed = false;
  handle.reset();
  handle.writeSync(constants.Z_FINISH, bytes, 0, bytes.length, into, 0, into.length);
  const isWhole = !reused.failed && left[0] === 1 && left[1] === 0;
  return isWhole ? into.subarray(0, size) : undefined;
}
