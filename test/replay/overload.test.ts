import { status } from '@grpc/grpc-js';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import type { ExportReply, OtlpClient } from '../otlp-client.ts';
import { connectOtlp, encodeLogs, watchBody } from '../otlp-client.ts';

const JOBS = 10_000;
/** Records of a Job: it starts, changes nothing that is reported, ends. */
const VERSIONS = 5;
const PER_REQUEST = 100;
const CONNECTIONS = 4;
/** Calls at once on each: together twice the bytes that may wait. */
const CALLS = 50;
const MIB = 1024 * 1024;
/** Idle it has 210 MiB and at most 470 here: 32 are messages that wait, the rest is what decoding leaves to collect. */
const MAX_RSS_MIB = 550;

const releases = new Releases();
afterAll(() => releases.release());

/** Twelve digits that appear nowhere else in a record; those of each Job take their place. */
const mark = (index: number): string => `7777${String(index).padStart(8, '0')}`;

function job(index: number, version: number): object {
  const ended = version === VERSIONS;
  const at = new Date(Date.now() - 5000).toISOString();
  const env = Array.from({ length: 40 }, (_, i) => ({ name: `SETTING_NUMBER_${i}`, value: 'a value of some length' }));
  return {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata: {
      uid: `00000000-0000-4000-8000-${mark(index)}`,
      name: `load-${mark(index)}`,
      namespace: 'shop',
      resourceVersion: `10${version}`,
      creationTimestamp: at,
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: 'load', uid: 'cronjob-load', controller: true },
      ],
    },
    spec: {
      parallelism: 1,
      completions: 1,
      template: { spec: { containers: [{ name: 'main', image: 'load', env }] } },
    },
    status: {
      startTime: at,
      ...(ended
        ? {
            succeeded: 1,
            completionTime: at,
            conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: at }],
          }
        : { active: 1 }),
    },
  };
}

const cronJob = {
  kind: 'CronJob',
  apiVersion: 'batch/v1',
  metadata: {
    uid: 'cronjob-load',
    name: 'load',
    namespace: 'shop',
    resourceVersion: '1',
    creationTimestamp: new Date(Date.now() - 60_000).toISOString(),
  },
  spec: { schedule: '* * * * *' },
};

/** Requests of a hundred records, made from one that is encoded: only the digits of its Jobs differ. */
function requests(version: number): Buffer[] {
  const jobs = Array.from({ length: PER_REQUEST }, (_, index) => job(index, version));
  const template = encodeLogs(
    jobs.map((object) => ({ body: watchBody(version === 1 ? 'ADDED' : 'MODIFIED', object) })),
  );
  const places = jobs.flatMap((_, index) => {
    const found: [index: number, offset: number][] = [];
    for (let at = template.indexOf(mark(index)); at >= 0; at = template.indexOf(mark(index), at + 1))
      found.push([index, at]);
    return found;
  });
  return Array.from({ length: JOBS / PER_REQUEST }, (_, request) => {
    const bytes = Buffer.from(template);
    for (const [index, at] of places) bytes.write(mark(request * PER_REQUEST + index), at);
    return bytes;
  });
}

/** Sends until it is acknowledged, as a Collector does; returns the refusals before that. */
async function deliver(client: OtlpClient, request: Buffer): Promise<ExportReply[]> {
  const refusals: ExportReply[] = [];
  for (;;) {
    const reply = await client.export(request, { deadlineMs: 100_000 });
    if (reply.code === status.OK) return refusals;
    refusals.push(reply);
    await sleep(reply.retryAfterMs ?? 1000);
  }
}

function rssMib({ pid }: Bridge): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

it('a burst of 50,000 records ends in backpressure, not in memory; nothing is missing and nothing twice', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'overload-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const env = { LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__DRY_RUN: 'true' };
  const bridge = await startBridge({ vendorsUrl: 'http://127.0.0.1:9', vendorKey: 'unused-key', dataDir, env });
  releases.add(async () => void (await bridge.stop()));
  const clients = Array.from({ length: CONNECTIONS }, () => connectOtlp(bridge.endpoint, { gzip: true }));
  for (const client of clients) releases.add(() => client.close());

  await deliver(clients[0]!, encodeLogs([{ body: watchBody('ADDED', cronJob) }]));
  const burst = Array.from({ length: VERSIONS }, (_, at) => requests(at + 1)).flat();
  const bytes = burst.reduce((sum, { length }) => sum + length, 0);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, rssMib(bridge))), 50);
  const began = performance.now();
  const waiting = [...burst];
  const refusals: ExportReply[] = [];
  const send = async (client: OtlpClient): Promise<void> => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift())
      refusals.push(...(await deliver(client, request)));
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: CALLS }, () => send(client))));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  process.stderr.write(
    `${burst.length} requests, ${Math.round(bytes / MIB)} MiB, ${refusals.length} refusals, ${seconds.toFixed(1)} s, at most ${Math.round(most)} MiB\n`,
  );

  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: status.UNAVAILABLE, retryAfterMs: 1000 });
  expect(most).toBeLessThan(MAX_RSS_MIB);
  const { otlp } = (await (await fetch(`${bridge.pageUrl}readyz`)).json()) as { otlp: { pendingBytes: number } };
  expect(otlp.pendingBytes).toBe(0);
  expect(await bridge.stop()).toBe(0);

  const store = new DatabaseSync(bridge.storePath, { readOnly: true });
  releases.add(() => store.close());
  const count = (sql: string): unknown => Object.values(store.prepare(sql).get() ?? {});
  expect(count("SELECT count(*) FROM runs WHERE status = 'succeeded'")).toEqual([JOBS]);
  expect(count('SELECT count(*), count(DISTINCT lane) FROM intents')).toEqual([2 * JOBS, JOBS]);
  expect(count('SELECT count(*) FROM quarantine')).toEqual([0]);
}, 600_000);
