import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { desiredContext } from '../../../test/fixtures/desired-context.ts';
import { SENTRY_KEY } from '../../../test/vendors/start-vendors.ts';
import { Sentry } from '../../../test/vendors/sentry.ts';
import type { Json } from '../../lib/json.ts';
import { Limiter } from '../../outbox/limiter.ts';
import type { Http } from '../http.ts';
import type { ClaimedDesired, ClaimedIntent, Deliverer, Delivery } from '../sink.ts';
import { cronJob, NOON, planContext, rules, run, transition } from './cron-fixtures.ts';
import { sentrySchema } from './config.ts';
import { createSentryDeliverer } from './deliver.ts';
import { createSentryPlanner } from './plan.ts';

const COUNT = 1_000;
const SECOND = 1_000;
const TOKEN = 'simulated-api-token';
const signal = new AbortController().signal;
const planner = createSentryPlanner('default', rules({ issues: { enabled: false } }, true));
const jobs = Array.from({ length: COUNT }, (_, n) => cronJob({}, { uid: `cronjob-${n}`, name: `report-${n}` }));

let now: number;
let requests: number;
let vendor: Sentry;
let folder: string;
let deliverer: Deliverer;

/** The simulated Sentry on the clock of the test. */
const http: Http = {
  request({ method, url, headers = {}, body = '' }) {
    requests++;
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
    const request = { method, url: new URL(url), headers, body: bytes.toString(), bytes, at: now };
    const answer = vendor.handle(request as Parameters<Sentry['handle']>[0])!;
    const { status, headers: more, body: text } = answer as { status: number; headers?: object; body?: string };
    return Promise.resolve({ kind: 'answer', status, headers: { ...more }, body: text ?? '', complete: true });
  },
  close: () => Promise.resolve(),
};

beforeEach(() => {
  now = NOON;
  requests = 0;
  vendor = new Sentry([SENTRY_KEY], TOKEN);
  folder = mkdtempSync(join(tmpdir(), 'sentry-'));
  writeFileSync(join(folder, 'token'), TOKEN);
  const api = { tokenFile: join(folder, 'token'), url: 'https://sentry.test', organization: 'acme' };
  const config = sentrySchema.parse({ dsn: `https://${SENTRY_KEY}@sentry.test/1`, api });
  deliverer = createSentryDeliverer('default', config, http, { now: () => now });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Each CronJob runs at noon, for half a minute. */
function checkIns(): ClaimedIntent[] {
  return jobs.flatMap((job, n) => {
    const context = { run: run({ uid: job.uid, runKey: job.uid }), cronJob: job };
    const edges = [
      transition({ id: `${n}/started` }),
      transition({ id: `${n}/ended`, kind: 'run.ended', outcome: 'succeeded', at: NOON + 32 * SECOND }),
    ];
    return edges.flatMap((edge, index) => {
      const planned = planner.plan(edge, planContext(context));
      if (planned === null || !('intents' in planned)) throw new Error('nothing is planned');
      const claimed = { seq: 2 * n + index, destination: planner.destination, transitionId: edge.id, attempt: 1 };
      return planned.intents.map(({ story: _story, ...intent }) => ({ ...intent, ...claimed }));
    });
  });
}

/** What the outbox does: in order within a lane, by limits and holds, each second what may go. */
async function sendAll(intents: readonly ClaimedIntent[], maxMs: number): Promise<Delivery[]> {
  const limiter = new Limiter();
  const holds = new Map<string, number>();
  const settled: Delivery[] = [];
  let open = [...intents];
  for (; open.length > 0 && now < NOON + maxMs; now += SECOND) {
    const later: ClaimedIntent[] = [];
    const busy = new Set<string>();
    for (const intent of open) {
      const isDue = intent.transitionId.endsWith('started') || now >= NOON + 32 * SECOND;
      const isHeld = intent.limits.some(({ key }) => (holds.get(key) ?? 0) > now);
      if (!isDue || isHeld || busy.has(intent.lane) || limiter.freeAt(intent.limits, now) > now) {
        later.push(intent);
        busy.add(intent.lane);
        continue;
      }
      const end = limiter.start(intent.limits, now);
      const [delivery] = await deliverer.deliver([intent], signal);
      end(now);
      if (delivery!.outcome !== 'retry') settled.push(delivery!);
      else {
        if (delivery!.hold) holds.set(delivery!.hold.key, now + (delivery!.afterMs ?? 0));
        later.push(intent);
        busy.add(intent.lane);
      }
    }
    open = later;
  }
  return settled;
}

function rows(): ClaimedDesired[] {
  return jobs.flatMap((job) => {
    const planned = planner.planDesired(job, desiredContext({ now }));
    return planned.map(({ key, wanted }) => {
      return { destination: planner.destination, key, wanted: wanted as Json, wantedHash: '', attempt: 1 };
    });
  });
}

describe('a first install of a thousand CronJobs in one project', () => {
  it('makes every monitor known with so few requests that five minutes are enough', async () => {
    const all = rows();
    for (let start = 0; start < all.length; start += deliverer.batch.desired) {
      const batch = all.slice(start, start + deliverer.batch.desired);
      expect(await deliverer.converge(batch, signal)).toEqual(batch.map(() => ({ outcome: 'delivered' })));
    }
    expect(vendor.crons().monitors.size).toBe(COUNT);
    expect(vendor.violations).toEqual([]);
    // Four at a time, each half a second.
    expect((requests / 4) * 0.5).toBeLessThan(300);
  });

  it('has no check-in refused, and every run opened and closed within five minutes, though all run at once', async () => {
    const settled = await sendAll(checkIns(), 300 * SECOND);
    expect(vendor.violations).toEqual([]);
    expect(vendor.crons().dropped).toEqual([]);
    expect(settled.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(2 * COUNT);
    const kept = [...vendor.crons().monitors.values()].flatMap(({ checkIns: some }) => [...some.values()]);
    expect(kept).toHaveLength(COUNT);
    expect(new Set(kept.map(({ status, updates }) => `${status} ${updates}`))).toEqual(new Set(['ok 2']));
  });
});
