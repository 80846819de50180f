import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf, recordOf, rowOf, rowsOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

const RECORD = '/orgs/acme/artifacts/metadata/deployment-record';
const JOBS = `${RECORD}/cluster/prod-1/jobs`;
const DELIVERED = { outcome: 'delivered' };
const MINUTE = 60_000;

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

const kept = (): string[] => [...bench.vendors.github.artifacts.records.values()].map((one) => one.deployment_name);
/** No job is on the way to be made only because it is the start. */
async function later(): Promise<void> {
  await bench.converge([rowOf('first')]);
  bench.clock.at += MINUTE;
}

describe('many records', () => {
  it('go by one job at the start, and are accepted when it has ended', async () => {
    bench.vendors.github.artifacts.pollsOfJob = 3;
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
    expect(bench.requests()).toEqual([`POST ${JOBS}`, ...Array.from({ length: 3 }, () => `GET ${JOBS}/100`)]);
    expect(bench.slept).toEqual([2000, 4000]);
    expect(bench.bodies(JOBS)).toEqual([
      {
        logical_environment: 'production',
        deployments: ['app-1', 'app-2'].map((name) => {
          const { deployment_name, digest, status } = recordOf(name);
          return { name: `ghcr.io/acme/${name}`, deployment_name, digest, status };
        }),
      },
    ]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('are looked for less and less often, up to every half a minute', async () => {
    bench.vendors.github.artifacts.pollsOfJob = 8;
    await bench.converge(rowsOf(2));
    expect(bench.slept).toEqual([2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000));
  });

  it('go one by one later, up to nine of them', async () => {
    await later();
    await bench.converge(rowsOf(9));
    expect(bench.bodies(JOBS)).toEqual([]);
    await bench.converge(rowsOf(10, 'more'));
    expect(bench.bodies(JOBS)).toHaveLength(1);
    expect(kept()).toHaveLength(20);
  });

  it('go one by one where bulkSync is off', async () => {
    expect(await bench.converge(rowsOf(12), bench.deliverer({ bulkSync: false }))).toEqual(
      Array.from({ length: 12 }, () => DELIVERED),
    );
    expect(bench.bodies(RECORD)).toHaveLength(12);
  });

  it('of several environments and organisations go by a job for each, one after the other', async () => {
    const rows = [
      ...rowsOf(2, 'a'),
      ...['b', 'c'].map((name) => rowOf(name, { logical_environment: 'staging', physical_environment: 'eu-1' })),
      ...['d', 'e'].map((name) => rowOf(name, { org: 'other' })),
    ];
    expect(await bench.converge(rows)).toEqual(rows.map(() => DELIVERED));
    expect(bench.requests().filter((request) => request.startsWith('POST'))).toHaveLength(3);
    expect(bench.bodies(JOBS)[1]).toMatchObject({ logical_environment: 'staging', physical_environment: 'eu-1' });
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('of 5,001 names are 5,000 in one job, and the last with the next call', async () => {
    const deliverer = bench.deliverer();
    expect(deliverer.batch.desired).toBe(5000);
    const rows = rowsOf(5001);
    const answers = await bench.converge(rows.slice(0, 5000), deliverer);
    expect(answers.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(5000);
    expect(await bench.converge(rows.slice(5000), deliverer)).toEqual([DELIVERED]);
    expect(bench.vendors.github.artifacts.jobs.map(({ size }) => size)).toEqual([5000]);
    expect(new Set(kept()).size).toBe(5001);
    expect(bench.vendors.github.violations).toEqual([]);
  });
});

describe('a job that takes some of its records', () => {
  beforeEach(() => {
    const { unknown, unwritable } = bench.vendors.github.artifacts;
    unknown.add(digestOf('app-2'));
    unwritable.add(digestOf('app-3'));
  });

  it('is a success for those, and has the reason for each of the others', async () => {
    expect(await bench.converge(rowsOf(4))).toMatchObject([
      DELIVERED,
      { outcome: 'drop', reason: 'unknown_artifact', detail: expect.stringContaining('not_found') },
      { outcome: 'drop', reason: 'forbidden', afterMs: 600_000 },
      DELIVERED,
    ]);
    expect(kept()).toEqual(['app-1', 'app-4']);
  });
});

describe('an error of a job', () => {
  const created = (errors: unknown) =>
    bench.vendors.inject({ match: `POST ${JOBS}`, status: 202, body: JSON.stringify({ job_id: 7, errors }) });
  const ended = (status: string, errors: unknown) =>
    bench.vendors.inject({ match: `GET ${JOBS}`, status: 200, body: JSON.stringify({ job_id: 7, status, errors }) });
  const outcomes = async (names: readonly string[]) =>
    (await bench.converge(names.map((name) => rowOf(name, { name: name.slice(0, 1) })))).map(
      (delivery) => ('reason' in delivery && delivery.reason) || delivery.outcome,
    );

  it('that names the image only is about its record, if it has one digest', async () => {
    created([{ name: 'b', cause: 'not_found' }]);
    ended('completed', []);
    expect(await outcomes(['a', 'b'])).toEqual(['delivered', 'unknown_artifact']);
  });

  it('that names an image with several digests makes each of its records go alone, which says which', async () => {
    created([]);
    ended('completed', [{ name: 'b', cause: 'not_found' }]);
    bench.vendors.github.artifacts.unknown.add(digestOf('b1'));
    expect(await outcomes(['a', 'b1', 'b2'])).toEqual(['delivered', 'rejected_by_job', 'rejected_by_job']);
    expect(await outcomes(['b1', 'b2'])).toEqual(['not_found', 'delivered']);
    expect(bench.bodies(RECORD)).toHaveLength(2);
  });

  it.each([[[{ cause: 'boom' }]], [['what']], [[null]], [[{ deployment: { deployment_name: 'a' }, cause: 'odd' }]]])(
    'of another form makes what it may be about go alone: %j',
    async (errors) => {
      created(errors);
      ended('completed', []);
      expect(await outcomes(['a', 'b'])).toContain('rejected_by_job');
    },
  );
});

describe('a job that GitHub does not make', () => {
  it.each([400, 403, 404, 422, 500])(
    'with %i leaves its records to requests of their own, for an hour',
    async (status) => {
      const deliverer = bench.deliverer();
      bench.vendors.inject({ match: JOBS, status, body: '{"message":"no"}' });
      const rows = rowsOf(3);
      const refused = { outcome: 'retry', reason: 'job_failed', detail: `HTTP ${status}${status < 500 ? ': no' : ''}` };
      expect(await bench.converge(rows, deliverer)).toMatchObject([refused, refused, refused]);
      expect(deliverer.batch.desired).toBe(20);
      expect(await bench.converge(rows, deliverer)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
      expect(bench.bodies(RECORD)).toHaveLength(3);
      bench.clock.at += 60 * MINUTE;
      expect(deliverer.batch.desired).toBe(5000);
    },
  );

  it.each(['{broken', '{}', '{"job_id":"x"}'])('but answers %s for, neither', async (body) => {
    bench.vendors.inject({ match: JOBS, status: 202, body });
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'job_failed' }, { reason: 'job_failed' }]);
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
  });

  it('because another is under way is waited for, and given up after ten minutes', async () => {
    bench.vendors.inject({ match: JOBS, status: 409, times: Infinity });
    const busy = { outcome: 'retry', reason: 'conflict', afterMs: 30_000, hold: { key: 'api' } };
    expect(await bench.converge(rowsOf(2))).toMatchObject([busy, busy]);
    bench.clock.at += 5 * MINUTE;
    expect(await bench.converge(rowsOf(2))).toMatchObject([busy, busy]);
    bench.clock.at += 5 * MINUTE;
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'job_failed' }, { reason: 'job_failed' }]);
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
  });

  it('for a limit or without an answer is tried again as a job', async () => {
    bench.vendors.inject({ match: JOBS, status: 429, retryAfter: 5 });
    bench.vendors.inject({ match: JOBS, reset: true });
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'rate_limited' }, { reason: 'rate_limited' }]);
    bench.clock.at += 5000;
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'answer_lost' }, { reason: 'answer_lost' }]);
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
    expect(bench.bodies(RECORD)).toEqual([]);
  });
});

describe('a job that does not end well', () => {
  it('and failed leaves its records to requests of their own', async () => {
    bench.vendors.github.artifacts.fates.push('failed');
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'job_failed' }, { reason: 'job_failed' }]);
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
  });

  it('or never ends is given up after 15 minutes', async () => {
    bench.vendors.github.artifacts.fates.push('never');
    const began = bench.clock.at;
    expect(await bench.converge(rowsOf(2))).toMatchObject([
      { reason: 'job_failed', detail: 'the job did not end in 15 minutes' },
      { reason: 'job_failed' },
    ]);
    expect(bench.clock.at - began).toBeLessThanOrEqual(15 * MINUTE);
  });

  it('or is unknown by now does, too', async () => {
    bench.vendors.inject({ match: `GET ${JOBS}`, status: 404 });
    expect(await bench.converge(rowsOf(2))).toMatchObject([{ reason: 'job_failed' }, { reason: 'job_failed' }]);
  });

  it('or is left by a bridge that stops did not fail, and no line says so', async () => {
    bench.vendors.github.artifacts.fates.push('never');
    bench.vendors.inject({ match: `GET ${JOBS}`, delayMs: 200, times: Infinity });
    const answers = bench.converge(rowsOf(2));
    await vi.waitFor(() => expect(bench.requests()).toContain(`GET ${JOBS}/100`), 60_000);
    bench.abort.abort();
    const stopped = { outcome: 'retry', reason: 'shutting_down', unknown: true };
    expect(await answers).toEqual([stopped, stopped]);
    expect(bench.lines).toEqual([]);
  });

  it('is asked for again after errors and limits', async () => {
    for (const fault of [{ status: 500 }, { reset: true }, { status: 429, retryAfter: 45 }])
      bench.vendors.inject({ match: `GET ${JOBS}`, ...fault });
    expect(await bench.converge(rowsOf(2))).toEqual([DELIVERED, DELIVERED]);
    expect(bench.slept).toContain(45_000);
  });
});
