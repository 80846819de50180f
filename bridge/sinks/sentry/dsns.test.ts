import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SENTRY_KEY } from '../../../test/vendors/start-vendors.ts';
import { sentrySchema } from './config.ts';
import type { DeliverBench } from './deliver-bench.ts';
import { event, send, startBench } from './deliver-bench.ts';
import { Dsns } from './dsns.ts';

let bench: DeliverBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe('a DSN', () => {
  it('that is refused is read again from its file, at once and every second', async () => {
    const dsnFile = join(bench.folder, 'dsn');
    writeFileSync(dsnFile, bench.dsn('wrong'));
    const one = bench.deliverer({ dsn: undefined, dsnFile });
    expect(one.renewed?.()).toEqual(['default', 'api']);
    expect(await send(one, event())).toMatchObject({ outcome: 'retry', reason: 'forbidden', hold: { key: 'default' } });
    expect(one.isRefused?.()).toBe(true);
    expect(one.renewed?.()).toEqual([]);
    writeFileSync(dsnFile, bench.dsn());
    expect(one.renewed?.()).toEqual(['default']);
    expect(one.isRefused?.()).toBe(false);
    expect(await send(one, event())).toEqual({ outcome: 'delivered' });
  });

  it('of a route has its own project', async () => {
    const dsnFile = join(bench.folder, 'team-a');
    writeFileSync(dsnFile, bench.dsn(SENTRY_KEY, 7));
    const one = bench.deliverer({ routes: [{ name: 'team-a', dsnFile }] });
    await send(one, { ...event(), target: { route: 'team-a' } });
    const gone = await send(one, { ...event({ event_id: 'e'.repeat(32) }), target: { route: 'gone' } });
    expect(gone).toMatchObject({ outcome: 'delivered', detail: expect.stringContaining('route') });
    expect(bench.vendors.sentry.events.map(({ project }) => project)).toEqual(['7', '1']);
  });

  it.each([
    ['of the host of the destination', {}, () => bench.dsn(SENTRY_KEY, 9), '9'],
    ['of a host that is not in the list', {}, () => `https://${SENTRY_KEY}@evil.example/9`, '1'],
    ['of a host that only ends alike', {}, () => `https://${SENTRY_KEY}@evilsentry.io/9`, '1'],
    ['without encryption', { hosts: ['o1.ingest.sentry.io'] }, () => `http://${SENTRY_KEY}@o1.ingest.sentry.io/9`, '1'],
    ['of another port', { hosts: ['127.0.0.1'] }, () => `https://${SENTRY_KEY}@127.0.0.1:1/9`, '1'],
    ['where none counts', { enabled: false }, () => bench.dsn(SENTRY_KEY, 9), '1'],
  ])('of an annotation %s', async (_what, customDsns, dsn, project) => {
    const delivery = await send(bench.deliverer({ customDsns }), { ...event(), target: { dsn: dsn() } });
    expect(delivery.outcome).toBe('delivered');
    expect(bench.vendors.sentry.events[0]!.project).toBe(project);
    expect(JSON.stringify(delivery)).not.toContain(SENTRY_KEY);
    expect(delivery.outcome === 'delivered' ? delivery.detail : '').toBe(
      project === '1'
        ? 'the host of the DSN annotation is not in customDsns.hosts: sent to the DSN of the destination'
        : undefined,
    );
  });

  it('may name sentry.io itself, as old ones do', () => {
    const dsns = new Dsns('sentry/default', sentrySchema.parse({ dsn: bench.dsn() }));
    const { dsn, note } = dsns.resolve({ dsn: `https://${SENTRY_KEY}@sentry.io/9` });
    expect([dsn.host, note]).toEqual(['sentry.io', undefined]);
  });

  it('that is none stops the start, and is not shown', () => {
    const dsnFile = join(bench.folder, 'dsn');
    writeFileSync(dsnFile, 'https://secret@');
    expect(() => bench.deliverer({ dsn: undefined, dsnFile })).toThrow(/is not a DSN/);
    expect(() => bench.deliverer({ dsn: undefined, dsnFile })).not.toThrow(/secret/);
  });
});
