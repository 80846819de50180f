import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { SENTRY_KEY, startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Json } from '../../lib/json.ts';
import type { Http } from '../http.ts';
import { createHttp } from '../http.ts';
import type { ClaimedIntent, Deliverer, Delivery } from '../sink.ts';
import type { KeptLog } from '../story.ts';
import { sentrySchema } from './config.ts';
import { cronJob, rules } from './cron-fixtures.ts';
import { monitorOf } from './monitor.ts';
import { createSentryDeliverer } from './deliver.ts';

export const signal = new AbortController().signal;

/** Deliverers against a simulated Sentry, on a clock that a test sets. */
export interface DeliverBench {
  readonly vendors: Vendors;
  readonly http: Http;
  readonly folder: string;
  now: number;
  dsn(key?: string, project?: number): string;
  deliverer(settings?: object, http?: Http): Deliverer;
  close(): Promise<void>;
}

export async function startBench(): Promise<DeliverBench> {
  const vendors = await startVendors();
  const http = createHttp({});
  const folder = mkdtempSync(join(tmpdir(), 'sentry-'));
  const bench: DeliverBench = {
    vendors,
    http,
    folder,
    now: Date.now(),
    dsn: (key = SENTRY_KEY, project = 1) => `${vendors.url.replace('://', `://${key}@`)}/${project}`,
    deliverer(settings = {}, through = http) {
      const config = sentrySchema.parse({ dsn: bench.dsn(), ...settings });
      return createSentryDeliverer('default', config, through, { now: () => bench.now });
    },
    async close() {
      await vendors.close();
      await http.close();
      rmSync(folder, { recursive: true });
    },
  };
  return bench;
}

export function intent(payload: object, story?: object): ClaimedIntent {
  return {
    seq: 1,
    destination: 'sentry/default',
    transitionId: 't',
    key: 't',
    lane: 'l',
    payload: payload as Json,
    limits: [],
    attempt: 1,
    ...(story !== undefined && { story: story as NonNullable<ClaimedIntent['story']> }),
  };
}

export async function send(one: Deliverer, payload: object, story?: object): Promise<Delivery> {
  const [delivery] = await one.deliver([intent(payload, story)], signal);
  return delivery!;
}

export const EVENT_ID = 'a'.repeat(32);

const START = Date.parse('2026-11-01T00:00:00Z') / 1000;
export const event = (more: object = {}, rest: object = {}) => {
  const item = { event_id: EVENT_ID, timestamp: START, platform: 'other', level: 'error', message: 'failed', ...more };
  return { kind: 'event', target: {}, item, ...rest };
};

/** An end: a start would be too late by the clock of the tests. */
export const checkIn = (more: object = {}) => ({
  kind: 'check_in',
  target: {},
  checkIn: {
    id: 'b'.repeat(32),
    status: 'ok',
    environment: 'production',
    at: START * 1000,
    duration: 60,
    traceId: 'c'.repeat(32),
    monitor: monitorOf(cronJob(), rules()),
    ...more,
  },
});

/** A kept log of the pod p1, unless it says otherwise. */
export function log({ words, ...more }: Partial<KeptLog> & { readonly words: string }): KeptLog {
  return {
    runUid: 'r',
    namespace: 'shop',
    podUid: 'p1',
    podName: 'pod-1',
    container: 'main',
    instance: 0,
    exitCode: 1,
    endedAt: START * 1000,
    restarts: false,
    outcome: 'kept',
    detail: undefined,
    bytes: words.length,
    cut: false,
    text: gzipSync(words),
    ...more,
  };
}
