import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READING } from '../../test/fixtures/default-sink.ts';
import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import { T0 } from '../../test/fixtures/facts.ts';
import type { JsonObject } from '../../test/fixtures/hostile.ts';
import { CRON_JOB, hostileObject, JOB, metadata, POD, terminatedAt, time } from '../../test/fixtures/hostile.ts';
import { cronJobText, runText } from '../commands/run-text.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { apiJson } from '../web/api.ts';
import { readList, readRequest } from './batch.ts';
import { TestEngine } from './test-engine.ts';

let bridge: TestEngine;
let now = T0;
beforeAll(() => {
  const account = { podFilter: '^(([a-z0-9])+.?)+$', stuck: 'fail' } as const;
  bridge = new TestEngine({ planners: [createCronitorPlanner('default', planConfig(account))] });
});
afterAll(() => bridge.close());

/** CPU time of the work: a machine that stands still for a while proves nothing. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** One record by the stream, deleted or not, and by a LIST; then the clock ticks, and everybody looks at what is there. */
function takeIn(object: JsonObject, deleted: boolean): void {
  now += 1_000;
  const body = watchBody(deleted ? 'DELETED' : 'MODIFIED', object);
  const batch = readRequest(encodeLogs([{ body, observedAt: now }]), now, READING);
  const listed = readList([JSON.parse(JSON.stringify(object)) as { [key: string]: unknown }], now, READING);
  expect(bridge.commit([batch], now).poisoned + bridge.commit([listed], now).poisoned).toBe(0);
  bridge.tick(now);
}

function lookAt(): void {
  const { reader } = bridge;
  for (const run of reader.runs({ limit: 5 }).items) {
    const detail = reader.run(run.uid)!;
    expect(runText(detail)).toBeTypeOf('string');
    expect(JSON.stringify(apiJson(detail))).toBeTypeOf('string');
  }
  const cronJob = reader.cronJob('shop', 'report');
  expect(cronJob === undefined ? '' : cronJobText(cronJob)).toBeTypeOf('string');
}

describe('any JSON that a Kubernetes API accepts, and mutations of it', () => {
  it('is taken in by decoder, engine and store, and shown, in less than a second', () => {
    takeIn(CRON_JOB, false);
    fc.assert(
      fc.property(hostileObject, fc.boolean(), (hostile, deleted) => {
        expect(cpuMs(() => takeIn(hostile, deleted))).toBeLessThan(1_000);
        lookAt();
      }),
      { numRuns: 150 },
    );
  });

  const many = <T>(count: number, of: (number: number) => T): T[] => Array.from({ length: count }, (_, n) => of(n));
  const status = (changes: JsonObject) => ({
    ...POD,
    metadata: metadata('p2', 'large'),
    status: { phase: 'Running', startTime: time, ...changes },
  });
  const containers = (count: number) =>
    many(count, (n) => ({
      name: `c${n}`,
      image: 'i',
      restartCount: 5,
      state: { terminated: terminatedAt },
      lastState: { terminated: terminatedAt },
    }));
  // An API server takes objects of up to 1.5 MiB.
  it.each<[string, JsonObject]>([
    ['2,000 containers', status({ containerStatuses: containers(2_000) })],
    [
      "2,000 containers of a Job's pod",
      {
        ...POD,
        metadata: { ...(POD['metadata'] as object), uid: 'p3' },
        status: { phase: 'Running', containerStatuses: containers(2_000) },
      },
    ],
    [
      '10,000 conditions',
      {
        ...JOB,
        status: { conditions: many(10_000, (n) => ({ type: `T${n}`, status: 'True', message: '-eyJ'.repeat(20) })) },
      },
    ],
    [
      '20,000 active Jobs',
      {
        ...CRON_JOB,
        status: { lastScheduleTime: time, active: many(20_000, (n) => ({ uid: `u${n}`, name: `n${n}` })) },
      },
    ],
    [
      '20,000 labels',
      {
        ...JOB,
        metadata: { ...metadata('j3', 'labels'), labels: Object.fromEntries(many(20_000, (n) => [`l${n}`, 'x'])) },
      },
    ],
    [
      '20,000 owners',
      {
        ...JOB,
        metadata: { ...metadata('j4', 'owners'), ownerReferences: many(20_000, (n) => ({ uid: `o${n}`, kind: 'X' })) },
      },
    ],
    [
      'a schedule of a million commas',
      { ...CRON_JOB, metadata: metadata('c2', 'commas'), spec: { schedule: `${'1,'.repeat(500_000)}1 * * * *` } },
    ],
    [
      'a zone of a million characters',
      {
        ...CRON_JOB,
        metadata: metadata('c3', 'zone'),
        spec: { schedule: '* * * * *', timeZone: 'A'.repeat(1_000_000) },
      },
    ],
    ...['-eyJ', 'password=', ',', 'a://b:c', '\\"', '\u001b['].map((part): [string, JsonObject] => [
      `an annotation of many ${JSON.stringify(part)}`,
      {
        ...CRON_JOB,
        metadata: {
          ...metadata(`c-${part}`, 'notes'),
          annotations: {
            'k8s.cronitor.io/note': part.repeat(200_000 / part.length),
            'k8s.cronitor.io/tags': part.repeat(50_000 / part.length),
          },
        },
      },
    ]),
  ])('%s take less than a second', (_name, large) => {
    const body = encodeLogs([{ body: watchBody('MODIFIED', large), observedAt: now }]);
    const ms = cpuMs(() => {
      bridge.commit([readRequest(body, now, READING)], now);
      bridge.tick(now);
    });
    expect(ms).toBeLessThan(1_000);
    lookAt();
  });
});
