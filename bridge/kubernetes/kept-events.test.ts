import { expect, it } from 'vitest';
import { eventFacts } from '../../test/fixtures/facts.ts';
import { keepsEventsAbout } from './kept-events.ts';

const keeps = keepsEventsAbout(['CronJob', 'Pod', 'Job']);
const { regarding } = eventFacts();

it.each([
  ['a Warning about a followed kind', 'Warning', { group: '', kind: 'Pod' }, true],
  ['a Warning about any other', 'Warning', { group: 'autoscaling', kind: 'HorizontalPodAutoscaler' }, true],
  ['what is normal about a followed kind', 'Normal', { group: '', kind: 'Pod' }, true],
  ['what is normal about a followed kind of a group', 'Normal', { group: 'batch', kind: 'Job' }, true],
  ['what is normal about the same kind of another group', 'Normal', { group: 'batch.volcano.sh', kind: 'Job' }, false],
  ['what is normal about any other', 'Normal', { group: '', kind: 'Node' }, false],
  ['an Event without a type about any other', '', { group: '', kind: 'Node' }, true],
  ['an Event of a type of its own about any other', 'Error', { group: '', kind: 'Node' }, true],
])('%s is kept or not', (_what, type, about, kept) => {
  expect(keeps(eventFacts({ type, regarding: { ...regarding, ...about } }))).toBe(kept);
});
