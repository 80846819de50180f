import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Load } from './ingest-client.ts';
import { ask, machine, onCpuMs, printTable, quantile, round, startChild } from './measure.ts';

/**
 * What single records cost, stage by stage, each a server of its own that gets the same requests: HTTP/2 alone, then the
 * bridge's OTLP server, then with a thread behind it, then everything. By the kernel's nanoseconds of all threads, in turn,
 * ROUNDS times; minutes. COMPRESSION=none sends what the Collector sends with the chart's configuration.
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const REQUESTS = 6_000;
const COMPRESSION = process.env['COMPRESSION'] === 'none' ? 'none' : 'gzip';
const LOAD = { perRequest: 1, requests: REQUESTS, warmUp: 4_000, inFlight: 64, compression: COMPRESSION } as const;
const STAGES = {
  'node:http2 that only answers': ['stages-server.ts', 'bare'],
  'and frame, limits, compression': ['stages-server.ts', 'receive'],
  'and a thread that answers at once': ['stages-server.ts', 'thread'],
  'and decode, reduce, plan, commit': ['ingest-server.ts'],
} as const;

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** µs on a CPU for each record of a server. */
async function measure([file, ...args]: readonly [string, ...string[]], mix: boolean): Promise<number> {
  const server = startChild(file, ...args);
  const client = startChild('ingest-client.ts');
  const { port } = await ask<{ port: number }>(server);
  await ask(client, { ...LOAD, port, records: mix ? 'mixed' : 'changing' } satisfies Load);
  const before = onCpuMs(server.pid);
  await ask(client);
  const used = onCpuMs(server.pid) - before;
  await end(server);
  return (used * 1000) / REQUESTS;
}

const rows: Record<string, string | number>[] = [];
for (const mix of [false, true]) {
  const found = new Map<string, number[]>(Object.keys(STAGES).map((stage) => [stage, []]));
  for (let turn = 0; turn < ROUNDS; turn++)
    for (const [stage, server] of Object.entries(STAGES)) found.get(stage)!.push(await measure(server, mix));
  for (const [stage, all] of found) {
    const share = round(quantile(all, 0.5) / quantile(found.get('and decode, reduce, plan, commit')!, 0.5), 2);
    rows.push({ load: mix ? 'mix' : 'changing', stage, 'µs per record': round(quantile(all, 0.5), 0), share });
  }
}
printTable(rows);
console.log(
  JSON.stringify({ benchmark: 'stages', compression: COMPRESSION, machine: machine(), rounds: ROUNDS, rows }),
);
process.exit();
