import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { issuesSchema } from './config-issues.ts';
import { container, eventFacts, podFacts, terminated } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import { deployment, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { about, at, bare, crashed } from './issue-fixtures.ts';

const DAY = 86_400_000;

let stage: SentryStage;
function open(issues: object = {}, others: object = {}): SentryStage {
  return (stage = new SentryStage(issues, others));
}
afterEach(() => {
  stage.close();
});

describe('an event', () => {
  it('has the last Events of the object and its owners as breadcrumbs, in the order of their times', () => {
    open({ breadcrumbs: 3 });
    stage.see(deployment({ createdAt: at(-DAY) }), replicaSet('a'));
    const web = about('Deployment', 'web', deployment().uid, 'apps');
    for (const n of [5, 1, 3, 2]) {
      stage.warn({
        uid: `n${n}`,
        type: 'Normal',
        reason: `Step${n}`,
        message: `m${n}`,
        lastAt: at(n),
        regarding: n % 2 ? web : eventFacts().regarding,
      });
    }
    const owner = { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' };
    stage.see(podFacts({ owner, containers: [container({ terminated: terminated(1, at(9)) })] }));
    const { values = [] } = stage.events()[0]?.breadcrumbs ?? {};
    expect(values.map(({ category }) => category)).toEqual(['Step2', 'Step3', 'Step5']);
    expect(values[0]).toMatchObject({ timestamp: at(2) / 1000, level: 'info', message: 'm2' });
  });

  it('has the same id whenever the same thing is planned again, and another one in another cluster', () => {
    const ids = [];
    for (const cluster of ['a', 'a', 'b']) {
      stage = new SentryStage({}, {}, cluster);
      stage.see(bare('p', { containers: [crashed('c', 1)] }));
      ids.push(stage.events()[1]!.event_id);
      if (ids.length < 3) stage.close();
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has a level by its kind, as it is set, and none at all for "none"', () => {
    open({ levels: { oom: 'error', crash: 'none', warning: 'info' } });
    const oom = container({
      name: 'c',
      restartCount: 1,
      runningSince: at(15),
      lastTerminated: terminated(137, at(10), 'OOMKilled'),
    });
    const bad = container({ name: 'd', restartCount: 1, runningSince: at(15), lastTerminated: terminated(3, at(11)) });
    stage.see(bare('p', { containers: [oom, bad] })).warn({ reason: 'Unhealthy', message: 'x' });
    expect(stage.events().map(({ level }) => level)).toEqual(['error', 'info']);
    expect(stage.drops()).toEqual(['level_none']);
  });

  it('is grouped and judged by rules of the user, the first that matches', () => {
    open({
      rules: [
        { reason: 'OOM.*', level: 'info' },
        {
          message: 'disk (?P<disk>\\w+) is full',
          fingerprint: ['disk', '{{ disk }}', '{{ namespace }}'],
          level: 'fatal',
        },
        { kind: 'Node', level: 'none' },
        { reason: 'Unhealthy', kind: 'Pod', fingerprint: ['mine', '{{ default }}'] },
      ],
    });
    stage.see(bare('p'));
    stage.warn({ uid: 'a', reason: 'Full', message: 'the disk sda1 is full' });
    stage.warn({ uid: 'b', reason: 'Pressure', message: 'x', regarding: about('Node', 'n', 'n') });
    stage.warn({ uid: 'c', reason: 'Unhealthy', message: 'Readiness probe failed: y' });
    expect(stage.events().map(({ fingerprint, level }) => [level, fingerprint])).toEqual([
      ['fatal', ['disk', 'sda1', 'shop']],
      [
        'warning',
        ['mine', 'cluster-1', 'shop', 'Pod', 'p', 'warning', 'main', 'Unhealthy: ^Readiness probe failed:.*'],
      ],
    ]);
    expect(stage.drops()).toEqual(['level_none']);
  });
});

it('the rules of the documentation are allowed', () => {
  const doc = readFileSync(new URL('../../../docs/sentry.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(issues:\n[\s\S]*?)```/.exec(doc) ?? [];
  const { issues } = parse(example) as { issues: { rules: unknown[] } };
  expect(issuesSchema.parse(issues).rules).toHaveLength(4);
  open();
});

it.each([
  [{ rules: [{ reason: '(', level: 'info' }] }, 'regular expression as RE2 has it'],
  [{ rules: [{ level: 'info' }] }, 'at least one of reason, message and kind'],
  [{ rules: [{ reason: 'x' }] }, 'needs fingerprint or level'],
  [{ rules: [{ reason: 'a(?=b)', level: 'info' }] }, 'regular expression as RE2 has it'],
  [{ levels: { oom: 'critical' } }, 'fatal'],
])('the settings %j are refused', (settings, why) => {
  expect(issuesSchema.safeParse(settings).error?.message).toContain(why);
  open();
});
