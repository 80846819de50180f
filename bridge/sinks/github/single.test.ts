import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../sink.ts';
import { appSettings, digestOf, recordOf, rowOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

const RECORD = '/orgs/acme/artifacts/metadata/deployment-record';
const DELIVERED = { outcome: 'delivered' };

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

async function send(name = 'web', attempt = 1): Promise<Delivery> {
  const [delivery] = await bench.converge([rowOf(name, {}, attempt)]);
  return delivery!;
}

describe('a deployment record', () => {
  it('is one POST with everything that is known, and asks for no records back', async () => {
    const fields = {
      physical_environment: 'eu-1',
      version: '1.2.3',
      tags: { team: 'web' },
      runtime_risks: ['internet-exposed' as const],
      github_repository: 'web',
    };
    expect(await bench.converge([rowOf('web', fields)])).toEqual([DELIVERED]);
    expect(bench.requests()).toEqual([`POST ${RECORD}`]);
    const { org: _, ...body } = recordOf('web', fields);
    expect(bench.bodies(RECORD)).toEqual([{ ...body, return_records: false }]);
    expect([...bench.vendors.github.artifacts.records.values()]).toEqual([recordOf('web', fields)]);
    expect(bench.vendors.requests[0]?.headers).toMatchObject({
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': expect.stringMatching(/^lifecycle-bridge\/\d/),
      'content-type': 'application/json',
    });
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it.each([
    [200, '{"total_count":1}'],
    [201, ''],
  ])('is accepted by %i with %s', async (status, body) => {
    bench.vendors.inject({ status, body });
    expect(await send()).toEqual(DELIVERED);
  });

  it('is not accepted by a page of a proxy', async () => {
    bench.vendors.inject({ status: 200, body: '<html>Welcome to the hotel</html>' });
    expect(await send()).toMatchObject({ outcome: 'retry', reason: 'bad_answer', unknown: true });
  });

  it.each([
    [400, 'bad_request'],
    [403, 'forbidden'],
    [422, 'bad_request'],
    [410, 'bad_request'],
  ])('that is refused with %i is kept, and tried again later', async (status, reason) => {
    bench.vendors.inject({ status, body: '{"message":"no"}' });
    expect(await send()).toMatchObject({ outcome: 'drop', reason, detail: `HTTP ${status}: no` });
    expect(bench.requests()).toHaveLength(1);
    expect(await send()).toEqual(DELIVERED);
  });

  it('is tried again a few times after a conflict, then less often', async () => {
    bench.vendors.inject({ status: 409, times: 2 });
    expect(await send('web', 1)).toMatchObject({ outcome: 'retry', reason: 'conflict', afterMs: 5000 });
    expect(await send('web', 6)).toMatchObject({ outcome: 'drop', reason: 'conflict' });
  });

  it('is sent one second after the one before it', async () => {
    await bench.converge([rowOf('a')]);
    await bench.converge([rowOf('b')]);
    expect(bench.slept).toEqual([1000]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('that the store cannot read costs no other record', async () => {
    const bad = { ...rowOf('bad'), wanted: { name: 'x' } };
    expect(await bench.converge([bad, rowOf('web'), { ...rowOf('gone'), wanted: null }])).toMatchObject([
      { outcome: 'drop', reason: 'bad_request' },
      DELIVERED,
      { outcome: 'drop', reason: 'bad_request' },
    ]);
  });

  it.each([
    ['/orgs/acme-corp', [DELIVERED]],
    ['http://elsewhere.test/orgs/acme', [{ outcome: 'retry', reason: 'bad_answer' }]],
  ])('goes where its organisation is now, on the same host only: %s', async (now, answers) => {
    bench.vendors.github.renamed.set('/orgs/acme', now);
    expect(await bench.converge([rowOf('web')])).toMatchObject(answers);
    const records = [...bench.vendors.github.artifacts.records.values()];
    expect(records.map(({ org }) => org)).toEqual(now.startsWith('/') ? ['acme-corp'] : []);
  });
});

describe('a record of an artifact that GitHub does not know', () => {
  beforeEach(() => {
    bench.vendors.github.artifacts.unknown.add(digestOf('web'));
  });

  it('is not taken for a missing permission when GitHub says that there is no attestation', async () => {
    bench.vendors.inject({ match: '/attestations/', status: 200, body: '{"attestations":[]}' });
    expect(await send()).toMatchObject({ outcome: 'drop', reason: 'unknown_artifact' });
    expect(bench.requests()).toEqual([`POST ${RECORD}`, `GET /orgs/acme/attestations/${digestOf('web')}?per_page=1`]);
  });

  it('is not asked for again within the hour, whatever the deployment, and again after it', async () => {
    await send();
    await bench.converge([rowOf('other', { digest: digestOf('web') })]);
    await bench.converge([rowOf('web', { status: 'decommissioned' })]);
    expect(bench.bodies(RECORD)).toHaveLength(1);
    bench.clock.at += 3_600_001;
    bench.vendors.github.artifacts.unknown.clear();
    expect(await send()).toEqual(DELIVERED);
  });

  it('is known by the repository that is named', async () => {
    expect(await bench.converge([rowOf('web', { github_repository: 'web' })])).toEqual([DELIVERED]);
  });

  it('leaves open which it is where the token may not read attestations', async () => {
    bench.vendors.github.auth.tokens.set(bench.vendors.key, { artifact_metadata: 'write' });
    expect(await send()).toMatchObject({
      outcome: 'drop',
      reason: 'not_found',
      detail: expect.stringMatching(/does not know the artifact.* or the credentials need artifact metadata: write/),
    });
    await bench.converge([rowOf('b', { digest: digestOf('b') })]);
    expect(bench.requests().filter((request) => request.startsWith('GET'))).toHaveLength(1);
  });
});

describe('a 404 for a missing permission', () => {
  it('is reported as such when there is an attestation, and asked for again within minutes', async () => {
    bench.vendors.github.artifacts.unwritable.add(digestOf('web'));
    expect(await send()).toMatchObject({
      outcome: 'drop',
      reason: 'forbidden',
      afterMs: 600_000,
      detail: expect.stringContaining('artifact metadata: write'),
    });
    expect(await send('web', 9)).toMatchObject({ reason: 'forbidden', afterMs: 3_600_000 });
  });

  it('is known without a question from what an App was granted', async () => {
    const app = appSettings(bench);
    bench.vendors.github.auth.granted = { artifact_metadata: 'read', attestations: 'read' };
    const deliverer = bench.deliverer(app);
    expect(await bench.converge([rowOf('web')], deliverer)).toMatchObject([
      { reason: 'forbidden', detail: expect.stringContaining('was not granted') },
    ]);
    expect(bench.requests().filter((request) => request.startsWith('GET'))).toEqual([]);
  });
});

describe('a 403 for one record after the other', () => {
  const forbid = () => bench.vendors.inject({ match: 'POST', status: 403, body: '{"message":"no"}', times: Infinity });
  const names = Array.from({ length: 5 }, (_, index) => `app-${index}`);

  it('slows down, tries each in turn, and loses none', async () => {
    forbid();
    const deliverer = bench.deliverer({ bulkSync: false });
    const some = (from: number, to: number) => names.slice(from, to).map((name) => rowOf(name));
    const first = await bench.converge(some(0, 5), deliverer);
    expect(first.map(({ outcome }) => outcome)).toEqual(['drop', 'drop', 'drop', 'retry', 'retry']);
    expect(first[4]).toMatchObject({ reason: 'forbidden', afterMs: 5000, hold: { key: 'api' }, unknown: false });
    expect(bench.bodies(RECORD)).toHaveLength(3);
    bench.clock.at += 5000;
    expect(await bench.converge(some(3, 5), deliverer)).toMatchObject([
      { outcome: 'drop' },
      { outcome: 'retry', afterMs: 10_000 },
    ]);
    bench.vendors.heal();
    bench.clock.at += 10_000;
    expect(await bench.converge(some(0, 3), deliverer)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
  });

  it('of one repository only holds no other', async () => {
    bench.vendors.inject({ match: 'POST', status: 403, body: '{"message":"no"}' });
    const answers = await bench.converge([rowOf('a'), rowOf('b'), rowOf('c')], bench.deliverer({ bulkSync: false }));
    expect(answers.map(({ outcome }) => outcome)).toEqual(['drop', 'delivered', 'delivered']);
  });
});
