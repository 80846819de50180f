import type { EventFacts } from './kinds/event.ts';
import { KINDS } from './kinds.ts';
import { groupOf } from './metadata.ts';
import type { Kind } from './observation.ts';

/** Whether an Event is a Warning: so is one with a type of its own, or without any, which only old recorders write. */
export function isAlarming({ type }: Pick<EventFacts, 'type'>): boolean {
  return type !== 'Normal';
}

/** Whether an Event is kept. */
export type KeepsEvent = (event: EventFacts) => boolean;

/** Keeps Warnings, whatever they are about, and every Event about an object of one of these kinds. */
export function keepsEventsAbout(kinds: readonly Kind[]): KeepsEvent {
  const followed = new Set(kinds.map((kind) => `${groupOf(KINDS[kind].apiVersion)}/${kind}`));
  return ({ type, regarding: { group, kind } }) => isAlarming({ type }) || followed.has(`${group}/${kind}`);
}
