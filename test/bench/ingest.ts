import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { readObject } from '../fixtures/default-sink.ts';
import { decodeLogs } from '../../bridge/otlp/decode/decode.ts';
import { readRecord } from '../../bridge/otlp/decode/records.ts';
import { decodeGeneric } from '../otlp/decode-generic.ts';
import type { Load, Sent } from './ingest-client.ts';
import { loadRecords } from './ingest-records.ts';

/**
 * How many records a second the bridge takes durably: gRPC with gzip, decoding, reducing, one commit with
 * synchronous=FULL, the acknowledgement; with the bridge's own decoder and with a generic one. About two minutes.
 * With PROFILE=folder the servers leave their CPU profiles there.
 */
const DECODERS = ['walker', 'generic'] as const;
type Decoder = (typeof DECODERS)[number];
/** What a run sends: bounded, a few seconds each. */
const LOADS = [
  { perRequest: 1, requests: 8_000, warmUp: 3_000, inFlight: 64 },
  { perRequest: 100, requests: 160, warmUp: 60, inFlight: 10 },
  { perRequest: 512, requests: 32, warmUp: 12, inFlight: 5 },
] as const;
/** Generic runs send this part of it. */
const GENERIC_SHARE = 0.4;

/** What the records of a scenario are. Only with `events` does the bridge follow Events. */
const SCENARIOS = { mix: 'mixed', changing: 'changing', events: 'events', 'not kept': 'events' } as const;
type Scenario = keyof typeof SCENARIOS;
const ALL = ['mix', 'changing', 'events', 'not kept'] as const;

interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly records: number;
  readonly commits: number;
}

interface Result {
  readonly scenario: Scenario;
  readonly perRequest: number;
  readonly decoder: Decoder;
  readonly recordsPerSecond: number;
  /** Of the server, for 100,000 records: does not depend on what else the machine does. */
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly recordsPerCommit: number;
  readonly rssMb: number;
}

const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

function start(file: string, execArgv: string[], args: string[] = []): ChildProcess {
  const child = fork(join(import.meta.dirname, file), args, { execArgv });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function answer<T>(child: ChildProcess, question?: string | Load): Promise<T> {
  const answered = Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (question !== undefined) child.send(question);
  const [message] = (await answered) as [T | number | null];
  if (message === null || typeof message === 'number') throw new Error(`a process ended with ${String(message)}`);
  return message;
}

async function measure(scenario: Scenario, load: (typeof LOADS)[number], decoder: Decoder): Promise<Result> {
  const profile = process.env['PROFILE'];
  const profiling =
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}/${scenario}-${load.perRequest}-${decoder}`];
  const preload = decoder === 'generic' ? ['--import', join(import.meta.dirname, 'generic-decoder.ts')] : [];
  const server = start('ingest-server.ts', [...preload, ...profiling], scenario === 'events' ? ['events'] : []);
  const client = start('ingest-client.ts', []);
  const { port } = await answer<{ port: number }>(server);
  const share = decoder === 'generic' ? GENERIC_SHARE : 1;
  const requests = Math.ceil(load.requests * share);
  const warmUp = Math.ceil(load.warmUp * share);
  await answer<string>(client, { ...load, port, records: SCENARIOS[scenario], requests, warmUp });
  const before = await answer<Usage>(server, 'usage');
  const { ms, p50, p99 } = await answer<Sent>(client);
  const after = await answer<Usage>(server, 'usage');
  const stopped = once(server, 'exit');
  server.send('stop');
  await stopped;
  const sent = (warmUp + requests) * load.perRequest + 1;
  if (after.records !== sent) throw new Error(`${sent} records sent, ${after.records} committed`);
  const records = requests * load.perRequest;
  return {
    scenario,
    decoder,
    perRequest: load.perRequest,
    recordsPerSecond: Math.round((records / ms) * 1000),
    cpuSeconds: round((after.cpuMs - before.cpuMs) / 1000 / (records / 100_000)),
    p50Ms: round(p50),
    p99Ms: round(p99),
    recordsPerCommit: round((after.records - before.records) / (after.commits - before.commits)),
    rssMb: Math.round(after.rssMb),
  };
}

/** Records a second that decoding and reading alone would allow on one core. */
async function measureDecoding(): Promise<Record<Decoder, number>> {
  const made = (await loadRecords()).mixed(1_000);
  const requests = Array.from(
    { length: 10 },
    (_, at) => new Uint8Array(Buffer.concat(made.slice(at * 100, at * 100 + 100))),
  );
  const decode = { walker: decodeLogs, generic: decodeGeneric };
  const best = { walker: 0, generic: 0 };
  for (let round = 0; round < 4; round++) {
    for (const decoder of DECODERS) {
      const { user } = process.cpuUsage();
      const times = decoder === 'walker' ? 10 : 1;
      for (let time = 0; time < times; time++) {
        for (const request of requests) {
          for (const { body } of decode[decoder](request)) {
            const record = readRecord(body);
            if (record !== undefined) readObject(record.object);
          }
        }
      }
      const perSecond = (made.length * times) / ((process.cpuUsage().user - user) / 1e6);
      best[decoder] = Math.max(best[decoder], Math.round(perSecond));
    }
  }
  return best;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(results: readonly Result[]): void {
  console.log(
    'scenario  records/request  decoder  records/s  server CPU s/100k  p50 ms   p99 ms  records/commit  RSS MB',
  );
  for (const result of results) {
    const { scenario, perRequest, decoder, recordsPerSecond, cpuSeconds, p50Ms, p99Ms, recordsPerCommit, rssMb } =
      result;
    const cells = [
      scenario.padEnd(8),
      String(perRequest).padStart(16),
      decoder.padStart(8),
      String(recordsPerSecond).padStart(10),
      cpuSeconds.toFixed(2).padStart(18),
      p50Ms.toFixed(1).padStart(7),
      p99Ms.toFixed(1).padStart(8),
      recordsPerCommit.toFixed(1).padStart(15),
      String(rssMb).padStart(7),
    ];
    console.log(cells.join(' '));
  }
}

const decoding = await measureDecoding();
console.log(
  `decode and read, one thread: walker ${decoding.walker}, generic ${decoding.generic} records per CPU second`,
);
const results: Result[] = [];
const only = process.argv[2];
for (const scenario of ALL) {
  for (const load of LOADS) {
    for (const decoder of DECODERS) {
      if (only === undefined || `${scenario}-${load.perRequest}-${decoder}`.startsWith(only))
        results.push(await measure(scenario, load, decoder));
    }
  }
}
print(results);
for (const scenario of ALL) {
  for (const { perRequest } of LOADS) {
    const of = (decoder: Decoder): Result | undefined =>
      results.find(
        (result) => result.scenario === scenario && result.perRequest === perRequest && result.decoder === decoder,
      );
    const [walker, generic] = [of('walker'), of('generic')];
    if (walker === undefined || generic === undefined) continue;
    const [wall, cpu] = [walker.recordsPerSecond / generic.recordsPerSecond, generic.cpuSeconds / walker.cpuSeconds];
    console.log(
      `${scenario} at ${perRequest}: ${wall.toFixed(1)} x the generic one by the clock, ${cpu.toFixed(1)} x by CPU`,
    );
  }
}
for (const { perRequest } of LOADS) {
  const cpu = (scenario: Scenario): number =>
    results.find((one) => one.scenario === scenario && one.perRequest === perRequest && one.decoder === 'walker')
      ?.cpuSeconds ?? Number.NaN;
  const kept = cpu('events') - cpu('not kept');
  if (Number.isNaN(kept / cpu('changing'))) continue;
  const share = Math.round((kept / cpu('changing')) * 100);
  console.log(`to keep an Event at ${perRequest}: ${Math.round(kept * 10)} µs more, ${share} % of a changing record`);
}
const machine = {
  cores: availableParallelism(),
  cpu: cpus()[0]?.model,
  node: process.version,
  load: loadavg().map(round),
};
console.log(JSON.stringify({ benchmark: 'ingest', machine, decoding, results }));
