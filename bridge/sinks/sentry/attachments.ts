import { gunzipSync } from 'node:zlib';
import { logName } from '../../lib/log-text.ts';
import type { KeptLog, RunStory } from '../story.ts';
import type { Item } from './envelope.ts';
import type { Tails } from './payload.ts';

/** All attachments of one event: Sentry takes 40 MiB of a compressed request, and people read the end of a log. */
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 50;

/** The log tails of a story that an event wants, redacted as they are kept, the newest first; the end of what is too long. */
export function attachmentsOf(tails: Tails, story: Pick<RunStory, 'logs'>): Item[] {
  const wanted = story.logs.filter((log) => log.text !== undefined && isWanted(log, tails)).toReversed();
  let room = MAX_BYTES;
  return wanted.slice(0, MAX_FILES).flatMap((log) => {
    const text = unpacked(log);
    if (text === undefined || room <= 0) return [];
    const bytes = text.subarray(Math.max(0, text.length - room));
    room -= bytes.length;
    const header = { type: 'attachment', filename: fileName(log), content_type: 'text/plain' } as const;
    return [{ header: { ...header, attachment_type: 'event.attachment' }, payload: bytes }];
  });
}

/** Whether one of them is being read. */
export function isAwaited(tails: Tails, story: Pick<RunStory, 'logs'>): boolean {
  return story.logs.some((log) => log.outcome === undefined && isWanted(log, tails));
}

function isWanted(log: KeptLog, { podUid, container, instance }: Tails): boolean {
  return (
    (podUid === undefined || log.podUid === podUid) &&
    (container === undefined || log.container === container) &&
    (instance === undefined || log.instance === instance)
  );
}

/** `POD-CONTAINER.log`, of a restart `POD-CONTAINER-restart-2.log`. */
function fileName(log: KeptLog): string {
  return `${log.podName}-${logName(log).replace(', restart ', '-restart-')}.log`;
}

function unpacked({ text }: KeptLog): Uint8Array | undefined {
  try {
    return text && gunzipSync(text);
  } catch {
    return undefined;
  }
}
