import { expect, it } from 'vitest';
import { ABOUT, jobFacts } from '../../test/fixtures/facts.ts';
import type { Run, Transition } from '../lifecycle/transition.ts';
import { cutoffReason } from './cutoff.ts';

const LOST_AT = 1_000_000;
const RULE = { cutoff: LOST_AT, running: 'announce', reportedUntil: LOST_AT } as const;
const run = { uid: jobFacts().uid, kind: 'Job', status: 'running' } as Run;

function reason(kind: Transition['kind'], at: number, startWasPlanned: boolean): string | undefined {
  return cutoffReason({ id: kind, kind, at, about: ABOUT, runUid: run.uid, text: '' }, run, startWasPlanned, RULE);
}

it('announces nothing that a lost store reported, neither the start of a run that goes on nor an end after a known start', () => {
  expect(reason('run.started', LOST_AT - 1, false)).toBe('before_cutoff');
  expect(reason('run.ended', LOST_AT - 1, true)).toBe('before_cutoff');
});

it('announces what happened after the loss, also the end of a run whose start was reported before it', () => {
  expect(reason('run.ended', LOST_AT, false)).toBeUndefined();
  expect(reason('run.started', LOST_AT, false)).toBeUndefined();
});
