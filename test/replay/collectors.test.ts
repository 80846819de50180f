import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRequest } from '../../bridge/ingest/batch.ts';
import { READING } from '../../test/fixtures/default-sink.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { until } from '../harness/kube.ts';
import type { Receiver } from '../harness/receiver.ts';
import { startReceiver } from '../harness/receiver.ts';
import type { OtlpClient } from '../otlp-client.ts';
import { connectOtlp, encodeLogs, readRequests, watchBody } from '../otlp-client.ts';
import { decodeGeneric } from '../otlp/decode-generic.ts';
import { inArray, nested, requestWithBody } from '../otlp/wire.ts';
import { Bench } from './bench.ts';
import type { FedCollector, FedOptions, Program } from './fed-collector.ts';
import { startFedCollector } from './fed-collector.ts';
import { canonical, redacted } from './redaction.ts';

/** What of collector-config/ is not the watches, on the Collector that the other tests run and on a newer one. */
const COLLECTORS: readonly { readonly name: string; readonly program: Program; readonly batch: boolean }[] = [
  { name: 'Collector 0.111', program: 'otelcol-k8s', batch: false },
  { name: 'newer Collector', program: 'otelcol-next', batch: false },
  { name: 'newer Collector with batch.yaml', program: 'otelcol-next', batch: true },
];
const RECORDING = join(import.meta.dirname, '../fixtures/recordings/node.bin.gz');
/** As many requests at once as the watches make at most. */
const AT_ONCE = 16;

let releases: Releases;
let dataDir: string;
let receiver: Receiver;

beforeEach(async () => {
  releases = new Releases();
  dataDir = mkdtempSync(join(tmpdir(), 'fed-'));
  releases.add(() => rmSync(dataDir, { recursive: true, force: true }));
  receiver = await startReceiver();
  releases.add(() => receiver.stop());
});
afterEach(() => releases.release());

async function start(options: Omit<FedOptions, 'bridgeEndpoint' | 'dataDir'>): Promise<FedCollector> {
  const collector = await startFedCollector({ bridgeEndpoint: receiver.endpoint, dataDir, ...options });
  releases.add(() => collector.kill9());
  return collector;
}

function connect(collector: FedCollector): OtlpClient {
  const client = connectOtlp(collector.endpoint);
  releases.add(() => client.close());
  return client;
}

/** Feeds requests; returns the codes with which they were answered. */
async function feed(client: OtlpClient, requests: readonly Buffer[], deadlineMs = 120_000): Promise<number[]> {
  const codes: number[] = [];
  const rest = requests.values();
  const worker = async (): Promise<void> => {
    for (const request of rest) codes.push((await client.export(request, { deadlineMs })).code);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return codes;
}

/** An export of one record, as k8sobjects makes it. */
function one(name: string): Buffer {
  const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1' };
  const body = watchBody('ADDED', { apiVersion: 'v1', kind: 'Pod', metadata });
  return encodeLogs([{ body, attributes: { 'k8s.resource.name': 'pods' } }]);
}
const many = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
const arrived = (): string[] => receiver.records().map(({ name }) => name);
const allOf = (names: readonly string[]): Promise<unknown> =>
  until('all have arrived', () => new Set(arrived()).size >= names.length, 120_000);

describe.each(COLLECTORS)('the $name', ({ program, batch }) => {
  it('sends what a real node recorded, without bookkeeping and env, and warns of nothing', async () => {
    const collector = await start({ program, batch });
    const requests = await readRequests(RECORDING);
    expect(new Set(await feed(connect(collector), requests))).toEqual(new Set([status.OK]));
    await until('all records have arrived', () => receiver.records().length >= 860, 120_000);
    const sent = requests.flatMap((request) => decodeGeneric(request));
    const came = receiver.requests().flatMap((request) => decodeGeneric(request));
    const wanted = sent.map(({ body, observedAt }) => ({ body: redacted(body), observedAt, clusterName: 'fed' }));
    expect(came.map(canonical).toSorted()).toEqual(wanted.map(canonical).toSorted());
    // The attributes by which people search in a backend.
    const resources = new Set(receiver.records().map(({ resource }) => resource));
    expect(resources).toContain('cronjobs');
    expect(resources).not.toContain('undefined');
    // What the bridge makes of it is what it makes of the recording.
    const seen = (all: readonly Buffer[]): string[] =>
      all.flatMap((request) => readRequest(request, 0, READING).observations.map(canonical)).toSorted();
    expect(seen(receiver.requests())).toEqual(seen(requests));
    expect(collector.log()).not.toMatch(/"level":"(warn|error|fatal)"/);
  });

  it('keeps what is refused with UNAVAILABLE through a kill -9, and sends all of it', async () => {
    receiver.refuse();
    const names = many('kept', 50);
    const collector = await start({ program, batch });
    expect(new Set(await feed(connect(collector), names.map(one)))).toEqual(new Set([status.OK]));
    await until('it has tried', () => receiver.refused() > 0);
    await collector.kill9();
    receiver.accept();
    await start({ program, batch });
    await allOf(names);
    expect(new Set(arrived())).toEqual(new Set(names));
  });

  it('sends again what is refused with a code that says so, and drops what is refused for good', async () => {
    const collector = await start({ program, batch });
    const client = connect(collector);
    /** Whether a record that is refused once comes again. */
    const isKept = async (code: status, retryMs?: number): Promise<boolean> => {
      const dropped = 'otelcol_exporter_send_failed_log_records';
      const [triedBefore, droppedBefore] = [receiver.refused(), await collector.metric(dropped)];
      receiver.refuse(code, retryMs);
      const name = `${status[code]}-${retryMs ?? 0}`;
      await feed(client, [one(name)]);
      const kept = await until('it is tried again or dropped', async () => {
        if (receiver.refused() > triedBefore + 1) return 'kept';
        return (await collector.metric(dropped)) > droppedBefore && 'dropped';
      });
      receiver.accept();
      if (kept === 'kept') await until('it arrives', () => arrived().includes(name));
      return kept === 'kept';
    };
    const kept: string[] = [];
    for (const code of KEPT)
      if (await isKept(code, code === status.RESOURCE_EXHAUSTED ? 100 : undefined)) kept.push(status[code]);
    for (const code of DROPPED) if (await isKept(code)) kept.push(`${status[code]} though refused for good`);
    expect(kept).toEqual(KEPT.map((code) => status[code]));
  });
});

/** RESOURCE_EXHAUSTED only with RetryInfo. */
const KEPT = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED];
const DROPPED = [
  status.RESOURCE_EXHAUSTED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
];

describe('batch.yaml', () => {
  const next = { program: 'otelcol-next', batch: true } as const;

  it('makes few requests of many records that wait, none of more than 500 records', async () => {
    receiver.refuse();
    const names = many('waited', 1_500);
    await feed(connect(await start(next)), names.map(one));
    receiver.accept();
    await allOf(names);
    const sizes = receiver.requests().map((request) => decodeGeneric(request).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    // What was being tried when it began is ten requests of any size; what waited goes by the hundred.
    expect(sizes.length).toBeLessThan(names.length / 10);
  });

  it('makes a full queue wait: no record is refused', async () => {
    receiver.refuse();
    const collector = await start({ ...next, room: 20 });
    const names = many('waits', 60);
    const fed = Promise.all(names.map((name) => connect(collector).export(one(name), { deadlineMs: 240_000 })));
    await until('the queue is full', async () => (await collector.metric('otelcol_exporter_queue_size{')) >= 20);
    receiver.accept();
    expect(new Set((await fed).map(({ code }) => code))).toEqual(new Set([status.OK]));
    await allOf(names);
  });

  it('is needed for that: without it a full queue refuses, which a watch does not repeat', async () => {
    receiver.refuse();
    const collector = await start({ program: 'otelcol-next', batch: false, room: 20 });
    expect(await feed(connect(collector), many('refused', 60).map(one))).toContain(status.UNAVAILABLE);
  });

  it('is not for 0.111, which does not start with it', async () => {
    await expect(start({ program: 'otelcol-k8s', batch: true })).rejects.toThrow(/invalid keys?: .*batch/);
  });
});

describe('a queue on disk', () => {
  /** Leaves records in the queue of one Collector and starts another on it. */
  async function hand(from: Program, to: FedOptions['program'], names: readonly string[]): Promise<FedCollector> {
    receiver.refuse();
    const old = await start({ program: from, batch: from === 'otelcol-next' });
    expect(new Set(await feed(connect(old), names.map(one)))).toEqual(new Set([status.OK]));
    await until('one is being tried', () => receiver.refused() > 0);
    await old.kill9();
    receiver.accept();
    return start({ program: to, batch: to === 'otelcol-next' });
  }

  it('of 0.111 is delivered by a newer Collector', async () => {
    const names = many('upgraded', 40);
    await hand('otelcol-k8s', 'otelcol-next', names);
    await allOf(names);
    expect(new Set(arrived())).toEqual(new Set(names));
  });

  it('of a newer Collector is lost by 0.111 without a word: what the README says of downgrades is true', async () => {
    const collector = await hand('otelcol-next', 'otelcol-k8s', many('downgraded', 40));
    await feed(connect(collector), [one('after')]);
    await until('what comes after it arrives', () => arrived().includes('after'));
    await until('nothing waits', async () => (await collector.metric('otelcol_exporter_queue_size')) === 0);
    expect(arrived()).toEqual(['after']);
    expect(collector.log()).not.toMatch(/"level":"(warn|error|fatal)"/);
  });
});

describe('the bridge behind a Collector that batches', () => {
  const next = { program: 'otelcol-next', batch: true } as const;

  it('makes the same of the recording of a real node as of single records, though one record of a batch is poison', async () => {
    const alone = await Bench.start();
    releases.add(() => alone.close());
    const requests = await readRequests(RECORDING);
    for (const request of requests) await alone.insist(request);

    const behind = await Bench.start();
    releases.add(() => behind.close());
    const { endpoint: bridgeEndpoint } = behind.bridge;
    const collector = await startFedCollector({ bridgeEndpoint, dataDir, ...next });
    releases.add(() => collector.kill9());
    await behind.bridge.stop();
    // Deeper than the bridge reads, and no trouble for a Collector.
    const poisoned = requests.toSpliced(400, 0, requestWithBody(nested(150, inArray)));
    expect(new Set(await feed(connect(collector), poisoned))).toEqual(new Set([status.OK]));
    await behind.bridge.start();
    const sent = () => collector.metric('otelcol_exporter_sent_log_records');
    await until('all is sent', async () => (await sent()) >= 861, 120_000);
    expect(await runsOf(behind)).toEqual(await runsOf(alone));
    const drops = await behind.list<{ kind: string; reason: string }>('drops');
    expect(drops.filter(({ kind }) => kind === 'quarantine').map(({ reason }) => reason)).toEqual(['undecodable']);
    const committed = await behind.metric('lifecycle_bridge_requests_total{outcome="committed"}');
    expect(committed).toBeLessThan(requests.length / 4);
  });
});

async function runsOf(bench: Bench): Promise<string[]> {
  const runs = await bench.list<Record<string, unknown>>('runs');
  const compared = ['uid', 'kind', 'status', 'reason', 'startedAt', 'endedAt'];
  return runs.map((run) => canonical(compared.map((key) => run[key]))).toSorted();
}
