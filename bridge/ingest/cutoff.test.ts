import { afterEach, describe, expect, it } from 'vitest';
import { condition, seen, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import { CRON, scheduled, TestEngine } from './test-engine.ts';

let bridge: TestEngine;
afterEach(() => bridge.close());

function run(startAt: number, endedAt: number): [JobFacts, JobFacts] {
  const conditions = [condition('Complete', endedAt)];
  return [scheduled({ startAt }), scheduled({ startAt, resourceVersion: '120', completionAt: endedAt, conditions })];
}

/** Start and end in seconds from the cut-off, and what is reported when both are seen at once or one after the other. */
const edges: [number, number, 'announce' | 'suppress', string[], string[]][] = [
  [0, 0, 'announce', ['run@0', 'complete@0'], ['run@0', 'complete@0']],
  [0, 0, 'suppress', ['run@0', 'complete@0'], ['run@0', 'complete@0']],
  [-1, 0, 'announce', ['run@-1', 'complete@0'], ['run@-1', 'complete@0']],
  [-1, 0, 'suppress', ['complete@0'], ['complete@0']],
  [-2, -1, 'announce', [], ['run@-2', 'complete@-1']],
  [-2, -1, 'suppress', [], []],
  [-86_400, 1, 'announce', ['run@-86400', 'complete@1'], ['run@-86400', 'complete@1']],
];

describe('a run around the cut-off', () => {
  it.each(edges)('%i s to %i s, running %s: at once %j, one by one %j', (from, to, running, atOnce, oneByOne) => {
    const [started, ended] = run(T0 + from * 1_000, T0 + to * 1_000);
    bridge = new TestEngine({ running });
    bridge.take([seen(CRON), seen(ended)]);
    expect(bridge.reported()).toEqual(atOnce);
    bridge.close();
    bridge = new TestEngine({ running });
    bridge.take([seen(CRON), seen(started)]);
    bridge.restart();
    bridge.take([seen(ended)]);
    expect(bridge.reported()).toEqual(oneByOne);
  });

  it('is judged by its own times when its CronJob comes later, and says why it is not reported', () => {
    bridge = new TestEngine({ running: 'suppress' });
    const [started, ended] = run(T0 - 5_000, T0 + 5_000);
    bridge.take([seen(started), seen(ended)]);
    bridge.take([seen(CRON)]);
    expect(bridge.reported()).toEqual(['complete@5']);
    expect(bridge.decisions()).toEqual(['dropped running_suppressed', 'planned']);
  });

  it('deleted while active before it is not reported as cancelled', () => {
    bridge = new TestEngine();
    const [started] = run(T0 - 9_000, 0);
    bridge.take([seen(CRON), seen({ ...started, resourceVersion: '130', deletionAt: T0 - 3_000 }, true)]);
    expect(bridge.reported()).toEqual([]);
    expect(bridge.decisions()).toEqual(['dropped before_cutoff', 'dropped before_cutoff']);
  });
});
