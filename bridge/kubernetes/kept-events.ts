import type { EventFacts } from './kinds/event.ts';
import { KINDS } from './kinds.ts';
import { groupOf } from './metadata.ts';
import type { Kind } from './observation.ts';

/** Whether an Event is kept. */
export type KeepsEvent = (event: EventFacts) => boolean;

/** Keeps Warnings, whatever they are about, and every Event about an object of one of these kinds. */
export function keepsEventsAbout(kinds: readonly Kind[]): KeepsEvent {
  const followed = new Set(kinds.map((kind) => `${groupOf(KINDS[kind].apiVersion)}/${kind}`));
  return ({ type, regarding: { group, kind } }) => type === 'Warning' || followed.has(`${group}/${kind}`);
}
