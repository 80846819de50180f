import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import type { Json } from '../lib/json.ts';
import { html } from '../web/html.ts';
import { desiredPage } from '../web/pages/lists.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { explainCommand } from '../commands/explain.ts';
import { annotated, CRON, TestEngine } from './test-engine.ts';

const DESTINATION = 'cronitor/default';
const HOUR = 3_600_000;
const NOW = T0 + 60_000;
const SECOND_UID = '33333333-0000-4000-8000-000000000002';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

const account = (settings: object) => [createCronitorPlanner('default', planConfig(settings))];

/** Sends what is due, as the vendor accepts it; by key, `null` for a DELETE. */
function sync(now = NOW): [key: string, wanted: Json][] {
  bridge.store.sweep(now, HOUR, HOUR);
  const rows = bridge.store.claimDesired(DESTINATION, 100, now);
  const settled = rows.map(({ destination, key, wantedHash: sentHash }) => ({ destination, key, sentHash }));
  bridge.store.settleDesired(
    settled.map((row) => ({ ...row, delivery: { outcome: 'delivered' } as const })),
    now,
  );
  return rows.map(({ key, wanted }) => [key, wanted]);
}

const changed = (changes: Partial<CronJobFacts>): Observation => seen({ ...CRON, resourceVersion: '101', ...changes });
const withAnnotation = (name: string, value: string): Observation =>
  seen(annotated({ [name]: value }, { resourceVersion: '101' }));

describe('a CronJob whose monitor is accepted', () => {
  beforeEach(() => {
    bridge.take([seen(CRON)]);
    sync();
  });

  // What cronitor-kubernetes does with it: a PUT for schedule and zone only, nothing for the rest until it restarts.
  it.each<[string, Observation, object | undefined]>([
    ['schedule', changed({ schedule: '5 4 * * *' }), { schedule: '5 4 * * *' }],
    ['time zone', changed({ timeZone: 'Europe/Berlin' }), { timezone: 'Europe/Berlin' }],
    ['concurrencyPolicy', changed({ concurrencyPolicy: 'Forbid' }), { metadata: '{"concurrencyPolicy":"Forbid"}' }],
    ['suspend', changed({ suspend: true }), { paused: true }],
    ['name', withAnnotation('name', 'nightly'), { name: 'nightly' }],
    ['name-prefix', withAnnotation('name-prefix', 'none'), { name: CRON.name }],
    [
      'tags',
      withAnnotation('tags', 'a,b'),
      { tags: ['kubernetes', `kubernetes-namespace:${CRON.namespace}`, 'a', 'b'] },
    ],
    ['notify', withAnnotation('notify', 'ops'), { notify: ['ops'] }],
    ['group', withAnnotation('group', 'g'), { group: 'g' }],
    ['grace-seconds', withAnnotation('grace-seconds', '90'), { grace_seconds: 90 }],
    ['note', withAnnotation('note', 'n'), { note: 'n' }],
    ['metric.duration', withAnnotation('metric.duration', '< 5 s'), { assertions: ['metric.duration < 5 s'] }],
    ['exclude', withAnnotation('exclude', 'true'), { paused: true }],
    ['deletion', seen({ ...CRON, resourceVersion: '101' }, true), { paused: true }],
    ['env, which only telemetry has', withAnnotation('env', 'staging'), undefined],
    ['status', changed({ lastScheduleAt: T0 }), undefined],
    ['nothing', changed({}), undefined],
  ])('hears at once of a change of %s', (_, observation, wanted) => {
    bridge.take([observation]);
    expect(sync()).toMatchObject(wanted === undefined ? [] : [[CRON.uid, wanted]]);
    expect(sync()).toEqual([]);
  });

  it('needs no request after a restart', () => {
    bridge.restart();
    expect(sync()).toEqual([]);
  });

  it('resumes as it was paused', () => {
    bridge.take([changed({ suspend: true })]);
    expect(sync()).toMatchObject([[CRON.uid, { paused: true }]]);
    bridge.take([changed({ suspend: false, resourceVersion: '102' })]);
    expect(sync()).toMatchObject([[CRON.uid, { paused: false }]]);
  });

  it('keeps its key under another monitor name, and gives it up for a key of its own', () => {
    bridge.take([withAnnotation('name', 'renamed')]);
    expect(sync()).toMatchObject([[CRON.uid, { name: 'renamed' }]]);
    bridge.take([seen(annotated({ key: 'own' }, { resourceVersion: '102' }))]);
    const wanted = new Map(sync());
    expect(wanted.get(CRON.uid)).toMatchObject({ paused: true });
    expect(wanted.get('own')).not.toHaveProperty('paused');
  });
});

describe('onDelete', () => {
  const deletion = seen({ ...CRON, resourceVersion: '101' }, true);
  const again = seen(cronJobFacts({ uid: SECOND_UID, createdAt: T0 + 1_000, resourceVersion: '102' }));
  const start = (settings: object): void => {
    bridge.restart(account(settings));
    bridge.take([seen(CRON)]);
    sync();
  };

  it('keep leaves the monitor as it is', () => {
    start({ onDelete: 'keep' });
    bridge.take([deletion]);
    expect(sync()).toEqual([]);
    bridge.take([again]);
    expect(sync()).toEqual([]);
  });

  it('keep makes the monitor of a CronJob that was deleted before it was seen: its runs wait for it', () => {
    bridge.restart(account({ onDelete: 'keep' }));
    bridge.take([deletion]);
    expect(sync()).toMatchObject([[CRON.uid, { schedule: CRON.schedule }]]);
  });

  it('delete pauses at once and deletes after deleteAfter, also after a restart; the next one begins with a new monitor', () => {
    const settings = { onDelete: 'delete', deleteAfter: '6h' };
    start(settings);
    bridge.take([deletion]);
    expect(sync()).toMatchObject([[CRON.uid, { paused: true }]]);
    const page = html`${desiredPage(bridge.reader.desired({ limit: 9 }), {}).body}`.text;
    expect(page).toContain('is deleted at the vendor after');
    bridge.restart();
    // The clock of a restart stands at T0, a minute earlier.
    expect(sync(NOW + 6 * HOUR - 60_001)).toEqual([]);
    expect(sync(NOW + 6 * HOUR)).toEqual([[CRON.uid, null]]);
    expect(html`${desiredPage(bridge.reader.desired({ limit: 9 }), {}).body}`.text).toContain('deleted');
    bridge.take([again], NOW + 7 * HOUR);
    expect(sync(NOW + 7 * HOUR)).toMatchObject([[CRON.uid, { paused: false, schedule: CRON.schedule }]]);
  });

  it('delete is called off by a CronJob of the same name', () => {
    start({ onDelete: 'delete', deleteAfter: '6h' });
    bridge.take([deletion]);
    sync();
    bridge.take([again]);
    expect(sync()).toMatchObject([[CRON.uid, { paused: false }]]);
    expect(sync(NOW + 9 * HOUR)).toEqual([]);
  });

  it('delete is called off by another setting', () => {
    start({ onDelete: 'delete', deleteAfter: '6h' });
    bridge.take([deletion]);
    sync();
    bridge.restart(account({ onDelete: 'pause' }));
    expect(sync(NOW + 9 * HOUR)).toEqual([]);
    bridge.restart(account({ onDelete: 'delete' }));
    expect(sync(NOW + 9 * HOUR)).toEqual([]);
  });

  it('keep does not keep a retirement of the whole bridge from pausing', () => {
    start({ onDelete: 'keep' });
    bridge.retire(true, NOW);
    expect(sync()).toMatchObject([[CRON.uid, { paused: true }]]);
    bridge.retire(false, NOW);
    expect(sync()).toMatchObject([[CRON.uid, { paused: false }]]);
  });
});

describe('several CronJobs on one key', () => {
  it('show who owns it, on the page and in explain', async () => {
    const older = annotated({ key: 'shared' }, { createdAt: T0 - 1_000 });
    const younger = annotated({ key: 'shared' }, { uid: SECOND_UID, name: 'other', createdAt: T0 });
    bridge.take([seen(younger), seen(older)]);
    const page = html`${desiredPage(bridge.reader.desired({ limit: 9 }), {}).body}`.text;
    expect(page).toMatch(new RegExp(`${CRON.name}</a>[^]*other</a>[^]*another, older object owns this key`));
    let text = '';
    const print = (line: string) => (text += line);
    await explainCommand([`${younger.namespace}/other`, '--store', bridge.path], { env: {}, print });
    expect(text).toMatch(new RegExp(`! not the owner +cronitor/default +shared +another, older .*: .*/${CRON.name}`));
  });
});
