import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { annotated, complete, CRON, scheduled, TestEngine } from './test-engine.ts';

const EXCLUDE = 'k8s.cronitor.io/exclude';
const GRACE = 'k8s.cronitor.io/grace-seconds';
const BAD = { exclude: 'yes', 'grace-seconds': 'soon' };

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

/** `annotation destinations` of every problem, by CronJob. */
function problems(): Record<string, string[]> {
  const { items } = bridge.reader.problems({ limit: 100 });
  return Object.fromEntries(
    items.map(({ name, problems }) => [
      name,
      problems.map(({ annotation, destinations }) => [annotation, ...destinations].join(' ')),
    ]),
  );
}
const bad = (version: string, annotations: Record<string, string> = BAD) =>
  annotated(annotations, { resourceVersion: version });
const found = (): string[] => bridge.store.take('problems').map(({ annotation, value }) => `${annotation}=${value}`);

describe('an annotation that cannot be read', () => {
  it('leaves the CronJob monitored with the default, and is kept with what is allowed and what is used', () => {
    bridge.take([seen(bad('100')), seen(scheduled()), seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.pausedRows().size).toBe(1);
    const [row] = bridge.reader.problems({ limit: 10 }).items;
    expect(row).toMatchObject({ uid: CRON.uid, namespace: CRON.namespace, name: CRON.name });
    expect(row!.problems).toEqual([
      {
        annotation: EXCLUDE,
        value: 'yes',
        allowed: expect.stringContaining('true or false'),
        used: expect.any(String),
        destinations: ['cronitor/default'],
        sinceAt: T0 + 60_000,
      },
      expect.objectContaining({ annotation: GRACE, value: 'soon' }),
    ]);
    expect(bridge.reader.cronJobs({ limit: 10 }).items[0]!.problems).toEqual(row!.problems);
    expect(bridge.reader.cronJob(CRON.namespace, CRON.name)!.problems).toEqual(row!.problems);
  });

  it('is found once, and again only when it was right in between', () => {
    bridge.take([seen(bad('100'))]);
    expect(found()).toEqual([`${EXCLUDE}=yes`, `${GRACE}=soon`]);
    bridge.take([seen(bad('101')), seen(bad('102', { exclude: 'yes', 'grace-seconds': 'later' }))]);
    expect(found()).toEqual([`${GRACE}=later`]);
    bridge.restart();
    expect(found()).toEqual([]);
    bridge.take([seen(bad('103', {})), seen(bad('104', { exclude: 'yes' }))]);
    expect(found()).toEqual([`${EXCLUDE}=yes`]);
  });

  it('is forgotten when it is put right, and as long as it is wrong its first time is kept', () => {
    bridge.take([seen(bad('100'))], T0 + 60_000);
    bridge.take([seen(bad('101', { exclude: 'yes' }))], T0 + 90_000);
    expect(problems()).toEqual({ [CRON.name]: [`${EXCLUDE} cronitor/default`] });
    expect(bridge.reader.problems({ limit: 1 }).items[0]!.problems[0]!.sinceAt).toBe(T0 + 60_000);
    bridge.take([seen(bad('102', { exclude: 'true' }))]);
    expect(problems()).toEqual({});
    expect(bridge.reader.problemCounts()).toEqual([]);
  });

  it('goes with its CronJob', () => {
    bridge.take([seen(bad('100'))]);
    bridge.take([seen(bad('101'), true)]);
    expect(problems()).toEqual({});
  });
});

describe('several destinations', () => {
  const account = (name: string, namespaces: readonly string[] = []) =>
    createCronitorPlanner(name, planConfig({ namespaces }));

  it('that say the same are one problem to a person and one each to the metric', () => {
    bridge.restart([account('a'), account('b')]);
    bridge.take([seen(bad('100'))]);
    expect(problems()).toEqual({ [CRON.name]: [`${EXCLUDE} cronitor/a cronitor/b`, `${GRACE} cronitor/a cronitor/b`] });
    expect(found()).toHaveLength(2);
    expect(bridge.reader.problemCounts()).toEqual(
      ['cronitor/a', 'cronitor/b'].flatMap((destination) =>
        [EXCLUDE, GRACE].map((annotation) => ({ destination, annotation, count: 1 })),
      ),
    );
  });

  it('that come and go with the configuration take their problems with them at the next start', () => {
    const other = cronJobFacts({ uid: 'other', namespace: 'desk', annotations: { [EXCLUDE]: 'no' } });
    bridge.restart([]);
    bridge.take([seen(bad('100')), seen(other)]);
    expect(problems()).toEqual({});
    bridge.restart([account('a', ['desk'])]);
    expect(bridge.reader.problems({ limit: 10 }).items.map(({ namespace }) => namespace)).toEqual(['desk']);
    expect(bridge.pausedRows().size).toBe(1);
    bridge.restart([account('a')]);
    expect(bridge.reader.problems({ limit: 10 }).items).toHaveLength(2);
    bridge.restart([]);
    expect(problems()).toEqual({});
  });

  it('do not judge at the start what an older bridge read without what they ask for now', () => {
    bridge.restart([]);
    bridge.take([seen(bad('100'))]);
    const db = new DatabaseSync(bridge.path);
    db.exec('UPDATE objects SET facts_schema = facts_schema - 1');
    db.close();
    bridge.restart([account('a')]);
    expect([problems(), bridge.pausedRows().size]).toEqual([{}, 0]);
    bridge.take([seen(bad('101'))]);
    expect(Object.keys(problems())).toEqual([CRON.name]);
    expect(bridge.pausedRows().size).toBe(1);
  });
});
