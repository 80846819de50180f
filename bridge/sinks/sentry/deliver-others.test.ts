import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventFacts } from '../../../test/fixtures/facts.ts';
import { SENTRY_KEY } from '../../../test/vendors/start-vendors.ts';
import type { Json } from '../../lib/json.ts';
import { DESTINATION, TestStore } from '../../store/testing/test-store.ts';
import type { DeliverBench } from './deliver-bench.ts';
import { checkIn, send, signal, startBench } from './deliver-bench.ts';

let bench: DeliverBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe('beside items', () => {
  it('check reports nothing and says what the DSN and the token may do', async () => {
    expect(await bench.deliverer().check?.(signal)).toMatchObject({ outcome: 'delivered' });
    expect(bench.vendors.sentry).toMatchObject({ events: [], violations: [] });
    const tokenFile = join(bench.folder, 'token');
    writeFileSync(tokenFile, 'simulated-api-token');
    const api = { tokenFile, url: bench.vendors.url };
    expect(await bench.deliverer({ api }).check?.(signal)).toMatchObject({
      outcome: 'drop',
      detail: expect.stringContaining('organization'),
    });
    const good = await bench.deliverer({ api: { ...api, organization: 'acme' } }).check?.(signal);
    expect(good).toEqual({ outcome: 'delivered', detail: 'the DSN is taken, the token reads the organisation' });
  });

  it('test sends one event that says what it is', async () => {
    const result = await bench.deliverer().test?.(signal);
    expect(result?.did).toMatch(/^sent the event [0-9a-f]{32}, level info$/);
    expect(bench.vendors.sentry.events[0]!.event).toMatchObject({
      level: 'info',
      message: 'lifecycle-bridge test delivery',
    });
  });

  it('a deploy makes its release first, once', async () => {
    const tokenFile = join(bench.folder, 'token');
    writeFileSync(tokenFile, 'simulated-api-token');
    const one = bench.deliverer({ api: { tokenFile, url: bench.vendors.url, organization: 'acme' } });
    const deploy = {
      kind: 'deploy',
      target: {},
      release: 'web@1.2.3',
      item: { environment: 'production', name: 'web' },
    };
    expect(await send(one, deploy)).toEqual({ outcome: 'delivered' });
    expect(await send(one, { ...deploy, item: { environment: 'staging' } })).toEqual({ outcome: 'delivered' });
    expect(
      bench.vendors.sentry.api.deploys.map(({ release, deploy: { environment } }) => [release, environment]),
    ).toEqual([
      ['web@1.2.3', 'production'],
      ['web@1.2.3', 'staging'],
    ]);
    writeFileSync(tokenFile, 'wrong');
    const other = bench.deliverer({ api: { tokenFile, url: bench.vendors.url, organization: 'acme' } });
    expect(await send(other, deploy)).toMatchObject({ outcome: 'retry', reason: 'unauthorized', hold: { key: 'api' } });
  });

  it('Normal Events are logs of their object, by the namespaces that are wanted', async () => {
    const one = bench.deliverer({ logs: 'normal', excludeNamespaces: ['billing'] });
    const about = (namespace: string) => ({ ...eventFacts().regarding, namespace, name: 'web', kind: 'Pod' });
    const uid = '7c1b9c55-2b8a-4c40-8a1e-4d1f6d0a9b11';
    const entries = [
      {
        seq: 1,
        event: eventFacts({
          type: 'Normal',
          reason: 'Pulled',
          message: 'got it',
          lastAt: bench.now,
          regarding: { ...about('shop'), uid },
        }),
        run: undefined,
      },
      { seq: 2, event: eventFacts({ type: 'Warning', reason: 'BackOff', regarding: about('shop') }), run: undefined },
      { seq: 3, event: eventFacts({ type: 'Normal', reason: 'Pulled', regarding: about('billing') }), run: undefined },
    ];
    expect(await one.journal?.export(entries, signal)).toEqual({ outcome: 'delivered' });
    expect(bench.vendors.sentry.logs).toMatchObject([
      {
        log: { body: 'Pulled: got it', level: 'info', trace_id: uid.replaceAll('-', ''), timestamp: bench.now / 1000 },
      },
    ]);
    expect(bench.vendors.sentry.violations).toEqual([]);
  });
});

describe('Sentry logs of two projects', () => {
  it('of which one is refused are sent to the other once, while their batch is halved', async () => {
    const dsnFile = join(bench.folder, 'team-a');
    writeFileSync(dsnFile, bench.dsn(SENTRY_KEY, 7));
    const one = bench.deliverer({ logs: 'all', routes: [{ name: 'team-a', dsnFile, namespaces: ['team-a'] }] });
    bench.vendors.inject({ match: '/api/7/', status: 400, times: Infinity });
    const entries = ['shop', 'team-a', 'shop', 'team-a'].map((namespace, index) => {
      const event = eventFacts({ lastAt: bench.now, regarding: { ...eventFacts().regarding, namespace } });
      return { seq: index + 1, event, run: undefined };
    });
    const exported = async (from: number, to: number) =>
      (await one.journal!.export(entries.slice(from, to), signal)).outcome;
    expect(await exported(0, 4)).toBe('drop');
    expect(await exported(0, 2)).toBe('drop');
    expect(await exported(0, 1)).toBe('delivered');
    expect(await exported(1, 2)).toBe('drop');
    expect(await exported(2, 4)).toBe('drop');
    expect(await exported(2, 3)).toBe('delivered');
    expect(bench.vendors.sentry.logs.map(({ project }) => project)).toEqual(['1', '1']);
  });
});

describe('check-ins of one monitor', () => {
  const next = (n: number, target: object = {}) => ({ ...checkIn({ id: String(n).repeat(32) }), target });
  const { slug } = next(0).checkIn.monitor;

  it('are never a seventh in a minute by several keys of a project, or by several destinations', async () => {
    const [one, other] = [bench.deliverer(), bench.deliverer()];
    const dsn = bench.dsn('another0key');
    bench.vendors.sentry.keys.add('another0key');
    for (const n of [1, 2]) expect(await send(one, next(n))).toEqual({ outcome: 'delivered' });
    for (const n of [3, 4]) expect(await send(one, next(n, { dsn }))).toEqual({ outcome: 'delivered' });
    expect(await send(other, next(5))).toEqual({ outcome: 'delivered' });
    const hold = { key: `default/check-in/${slug}/production` };
    expect(await send(one, next(6))).toEqual({ outcome: 'retry', reason: 'paced', afterMs: 62_000, hold });
    expect(await send(other, next(6))).toMatchObject({ reason: 'paced' });
    expect(await send(one, next(6, { dsn: bench.dsn(SENTRY_KEY, 7) }))).toEqual({ outcome: 'delivered' });
    expect(bench.vendors.sentry.violations).toEqual([]);
  });

  it('are never a seventh in any minute, however often the bridge is restarted', async () => {
    const t = new TestStore();
    const sent: number[] = [];
    try {
      const limits = [{ key: `default/check-in/${slug}/production`, perSecond: 100 }];
      t.enqueue(...Array.from({ length: 15 }, (_, n) => ({ key: `${n}`, payload: next(n % 10) as Json, limits })));
      for (let restart = 0; restart < 14; restart++) {
        t.restart(9_000);
        bench.now = t.now;
        // It counts by the real clock.
        bench.vendors.sentry.projects.clear();
        // Each is a process with a client of its own.
        const deliverer = bench.deliverer({}, { ...bench.http });
        deliverer.recent!.resume(t.store.recentlySent(DESTINATION, t.now - deliverer.recent!.ms));
        for (const intent of t.store.claim(DESTINATION, 3, t.now, [], false)) {
          const [delivery] = await deliverer.deliver([intent], signal);
          const isTaken = delivery!.outcome === 'delivered';
          if (isTaken) sent.push(t.now);
          // One answer in three is not written: the bridge was killed.
          if (!isTaken || sent.length % 3 !== 2) t.settle([intent], delivery!, 0);
        }
      }
    } finally {
      t.remove();
    }
    for (const at of sent) expect(sent.filter((other) => other > at - 60_000 && other <= at).length).toBeLessThan(6);
    expect(sent.length).toBeGreaterThan(8);
  });
});
