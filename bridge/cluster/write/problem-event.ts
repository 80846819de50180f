import type { DueEvent, Problem } from '../../store/problems.ts';
import { PLANNER_ERROR } from '../../store/problems.ts';
import { KINDS } from '../../kubernetes/kinds.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import type { EventText } from './kube-event.ts';

/** What the API takes of an Event's note. */
const MAX_NOTE_BYTES = 1024;
const MAX_VALUE = 60;
const MAX_PART_BYTES = 320;

/**
 * What the Event about the problems of an object says. Its name is the same
 * for the same set of problems: a second one is refused, and nobody has to read the same twice. `link` is where the page has them.
 */
export function problemText({ kind, uid, namespace, name, problems }: DueEvent, link?: string): EventText {
  const regarding = { apiVersion: KINDS[kind].apiVersion, kind, namespace, name, uid };
  const note = withLink(noteOf(kind, problems), link);
  return { regarding, reason: 'InvalidAnnotation', action: 'ReadAnnotations', note };
}

function withLink(note: string, link: string | undefined): string {
  const longer = `${note} More: ${link}`;
  return link === undefined || bytes(longer) > MAX_NOTE_BYTES ? note : longer;
}

/** As many as fit, and how many more there are. */
function noteOf(kind: Kind, problems: readonly Problem[]): string {
  let note = '';
  for (const [index, problem] of problems.entries()) {
    const longer = `${note}${index === 0 ? '' : ' '}${sentence(kind, problem)}`;
    const more = problems.length - index;
    const rest = ` And ${more} more.`;
    if (bytes(longer) > MAX_NOTE_BYTES - (more > 1 ? rest.length : 0)) return `${note}${rest}`;
    note = longer;
  }
  return note;
}

function sentence(kind: Kind, { annotation, value, allowed, used }: Problem): string {
  const points = Array.from(value);
  const shown = points.length <= MAX_VALUE ? value : `${points.slice(0, MAX_VALUE - 1).join('')}…`;
  if (annotation === PLANNER_ERROR) return `The bridge could not plan this ${kind}: ${cut(shown, MAX_PART_BYTES)}.`;
  const parts = [`${annotation}: ${JSON.stringify(shown)} is not valid.`, `Allowed: ${allowed}.`, `Used: ${used}.`];
  return parts.map((part) => cut(part, MAX_PART_BYTES)).join(' ');
}

function cut(text: string, max: number): string {
  if (bytes(text) <= max) return text;
  const points = Array.from(text).slice(0, max);
  while (bytes(points.join('')) + bytes('…') > max) points.pop();
  return `${points.join('')}…`;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
