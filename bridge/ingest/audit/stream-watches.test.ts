import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { seen } from '../../../test/fixtures/facts.ts';
import type { Observation } from '../../kubernetes/observation.ts';
import { AuditBench, complete, CRON, MINUTE, scheduled } from './audit-fixture.ts';

let bench: AuditBench;

beforeEach(() => {
  bench = new AuditBench();
  // The watches of a Collector stand, and its stream has brought the Job.
  bench.take(seen(CRON), seen(scheduled()));
  bench.list('Job', '190', [scheduled()]);
  bench.list('Job', '200', [scheduled()]);
});

afterEach(() => bench.remove());

const SECOND = 1_000;
const later = (resourceVersion: string) => scheduled({ resourceVersion });
const watched = (resourceVersion: string, deleted = false): Observation => {
  return { ...seen(complete({ resourceVersion }), deleted), watched: true };
};
const look = (ms = 0) => bench.engine.audit.auditWatches(bench.now + ms);
/** A LIST found what the stream did not bring. */
const found = (version = '250') => bench.list('Job', '300', [later(version)]);

describe('the stream of a kind', () => {
  it('is in doubt ten seconds after a LIST found what it should have brought, and dead after two minutes', () => {
    expect(look()).toMatchObject({ dead: [], doubted: [] });
    found();
    expect(look(9 * SECOND)).toMatchObject({ dead: [], doubted: [], nextAt: bench.now + 10 * SECOND });
    expect(look(10 * SECOND)).toMatchObject({ dead: [], doubted: ['Job'], nextAt: bench.now + 2 * MINUTE });
    expect(look(2 * MINUTE)).toMatchObject({ dead: ['Job'], doubted: ['Job'] });
  });

  it('is not in doubt while it brings older records: a queue is drained', () => {
    found();
    bench.wait(5 * SECOND);
    bench.take(seen(later('210')));
    expect(look(9 * SECOND).doubted).toEqual([]);
    expect(look(10 * SECOND).doubted).toEqual(['Job']);
  });

  it('lives again when it brings what was found, or anything newer, and not before', () => {
    found();
    look(10 * SECOND);
    bench.take(seen(later('249')));
    expect(look(10 * SECOND).doubted).toEqual(['Job']);
    bench.take(seen(later('251')));
    expect(look(10 * SECOND)).toMatchObject({ dead: [], doubted: [] });
  });

  it('is proven neither alive nor dead by what our own watch brings of a stream that has brought it too', () => {
    found();
    look(10 * SECOND);
    bench.take(watched('260'));
    expect(look(10 * SECOND).doubted).toEqual(['Job']);
    bench.take(seen(complete({ resourceVersion: '270' })), watched('270'));
    expect(look(10 * MINUTE)).toMatchObject({ dead: [], doubted: [] });
  });

  it('stays in doubt when a Collector connects, until that one brings something newer', () => {
    found();
    look(2 * MINUTE);
    bench.take(watched('260'));
    bench.engine.audit.auditConnected(bench.now);
    expect(look(MINUTE)).toMatchObject({ dead: [], doubted: ['Job'] });
    bench.take(seen(later('255'))); // out of its queue
    expect(look(MINUTE).doubted).toEqual(['Job']);
    bench.take(seen(complete({ resourceVersion: '261' })));
    expect(look(MINUTE).doubted).toEqual([]);
  });

  it('is dead again two minutes after our own watch brought what a new Collector did not', () => {
    found();
    look(2 * MINUTE);
    bench.engine.audit.auditConnected(bench.now);
    bench.list('Job', '310', [later('250')]);
    bench.take(watched('320'));
    expect(look(2 * MINUTE - 1).dead).toEqual([]);
    expect(look(2 * MINUTE).dead).toEqual(['Job']);
  });

  it('is still in doubt after a restart of the bridge, and no more when it was over before', () => {
    found();
    look(10 * SECOND);
    bench.restart();
    expect(look().doubted).toEqual(['Job']);
    bench.take(seen(later('260')));
    look();
    bench.restart();
    expect(look()).toMatchObject({ dead: [], doubted: [] });
  });
});

describe('all streams', () => {
  it('are silent when none brought anything in the minute after a run was due, which is said once', () => {
    const { nextAt: judgedAt } = look();
    expect(judgedAt).toBeLessThan(Infinity);
    bench.now = judgedAt;
    expect(look(-1).silent).toBe(false);
    expect(look().silent).toBe(true);
    expect(look(MINUTE).silent).toBe(false);
  });

  it('are not when one of them brought anything since', () => {
    const { nextAt: judgedAt } = look();
    bench.now = judgedAt - 30 * SECOND;
    bench.take(seen(later('400')));
    bench.now = judgedAt;
    expect(look().silent).toBe(false);
  });
});

describe('what our own watch and the stream both bring', () => {
  it('is reported once, and a deletion that only the watch saw does not cancel a run that ended', () => {
    bench.take(watched('260'), seen(complete({ resourceVersion: '260' })));
    bench.take(watched('270', true));
    bench.take(seen(complete({ resourceVersion: '270' }), true));
    expect(bench.pings()).toEqual(['run', 'complete']);
    expect(bench.status()).toBe('succeeded');
  });
});
