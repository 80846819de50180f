import type { Http } from '../http.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverBench } from './deliver-bench.ts';
import { event, EVENT_ID, intent, log, send, signal, startBench } from './deliver-bench.ts';

let bench: DeliverBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe('an event', () => {
  it('arrives as it was planned, in an envelope that breaks no rule', async () => {
    expect(await send(bench.deliverer(), event({ tags: { namespace: 'shop' } }))).toEqual({ outcome: 'delivered' });
    expect(bench.vendors.sentry.events).toMatchObject([
      { project: '1', event: { message: 'failed', tags: { namespace: 'shop' } } },
    ]);
    expect(bench.vendors.sentry.violations).toEqual([]);
  });

  it('is compressed when that saves something, and keeps every character', async () => {
    const message = 'Zeile 1\nこんにちは 🎉 '.repeat(100);
    await send(bench.deliverer(), event({ message: message.trim() }));
    expect(bench.vendors.requests[0]!.headers['content-encoding']).toBe('gzip');
    expect(bench.vendors.sentry.events[0]!.event.message).toBe(message.trim());
  });

  it('with half a character, as a cut leaves it, is still JSON for Sentry', async () => {
    expect(await send(bench.deliverer(), event({ message: `cut ${'🎉'.slice(0, 1)}` }))).toEqual({
      outcome: 'delivered',
    });
    expect(bench.vendors.sentry.violations).toEqual([]);
  });

  it('says the time of this try, and the same id, when it is sent again', async () => {
    const bodies: string[] = [];
    const spied: Http = {
      request: (request) => {
        bodies.push(Buffer.from(request.body as Uint8Array).toString());
        return bench.http.request(request);
      },
      close: () => bench.http.close(),
    };
    const one = bench.deliverer({}, spied);
    const payload = event();
    await send(one, payload);
    bench.now += 60_000;
    await send(one, payload);
    const headers = bodies.map((body) => JSON.parse(body.split('\n')[0]!) as Record<string, string>);
    expect(headers.map(({ event_id: id }) => id)).toEqual([EVENT_ID, EVENT_ID]);
    expect(headers.map(({ sent_at: at }) => Date.parse(at!))).toEqual([bench.now - 60_000, bench.now]);
    expect(bench.vendors.sentry.duplicates).toEqual([EVENT_ID]);
  });

  it('carries the log tails that it wants, in its own envelope', async () => {
    const logs = [
      log({ words: 'other pod', podUid: 'p2' }),
      log({ words: 'it broke' }),
      log({ words: 'again', instance: 2 }),
    ];
    const delivery = await send(bench.deliverer(), event({}, { tails: { podUid: 'p1' } }), { logs });
    expect(delivery).toEqual({ outcome: 'delivered' });
    expect(bench.vendors.sentry.events[0]!.attachments).toEqual([
      { filename: 'pod-1-main-restart-2.log', text: 'again' },
      { filename: 'pod-1-main.log', text: 'it broke' },
    ]);
  });

  it('waits for a log that is being read, and goes without it when that takes minutes', async () => {
    const payload = event({}, { tails: { podUid: 'p1' } });
    const { text: _text, ...unread } = log({ words: '', outcome: undefined });
    const story = { logs: [log({ words: 'other pod', podUid: 'p2' }), unread] };
    expect(await send(bench.deliverer(), payload, story)).toMatchObject({ outcome: 'retry', reason: 'awaiting_logs' });
    expect(bench.vendors.requests).toEqual([]);
    const [last] = await bench.deliverer().deliver([{ ...intent(payload, story), attempt: 8 }], signal);
    expect(last).toEqual({ outcome: 'delivered' });
    expect(bench.vendors.sentry.events[0]!.attachments).toEqual([]);
  });

  it('of more than a megabyte is cut to what Sentry takes, and the receipt says what is missing', async () => {
    const crumbs = Array.from({ length: 90 }, (_, at) => ({ timestamp: at + 1, message: 'x'.repeat(8000) }));
    const extra = { dump: Array.from({ length: 60 }, () => 'y'.repeat(10_000)) };
    const delivery = await send(bench.deliverer(), event({ breadcrumbs: crumbs, extra }));
    expect(delivery).toMatchObject({ outcome: 'delivered', detail: expect.stringContaining('breadcrumbs') });
    expect(bench.vendors.sentry.events[0]!.event.message).toBe('failed');
  });

  it('that a proxy finds too large is sent without its logs, then as its essence, and given up after that', async () => {
    const story = { logs: [log({ words: 'it broke' })] };
    const payload = event({ extra: { dump: Array.from({ length: 20 }, () => 'y'.repeat(10_000)) } }, { tails: {} });
    bench.vendors.inject({ match: '/envelope/', status: 413 });
    const first = await send(bench.deliverer(), payload, story);
    expect(first).toMatchObject({ outcome: 'delivered', detail: expect.stringContaining('without log tails') });
    expect(bench.vendors.sentry.discarded).toEqual([{ reason: 'send_error', category: 'attachment', quantity: 8 }]);
    bench.vendors.inject({ match: '/envelope/', status: 413, times: 2 });
    const second = await send(
      bench.deliverer(),
      event({ ...payload.item, event_id: 'c'.repeat(32) }, { tails: {} }),
      story,
    );
    expect(second).toMatchObject({ outcome: 'delivered', detail: expect.stringContaining('too large') });
    bench.vendors.inject({ match: '/envelope/', status: 413, times: 3 });
    expect(await send(bench.deliverer(), payload, story)).toMatchObject({ outcome: 'drop', reason: 'too_large' });
  });

  it('that stands for others reports how many are not sent', async () => {
    await send(bench.deliverer(), event({}, { discarded: 9_950 }));
    expect(bench.vendors.sentry.discarded).toEqual([{ reason: 'queue_overflow', category: 'error', quantity: 9_950 }]);
  });
});
