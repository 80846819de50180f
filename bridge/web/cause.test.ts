import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Attempt, Run } from '../lifecycle/transition.ts';
import { fillSample, sampleUid } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

const CAUSE = 'container worker exited with 1 (Error); 3 pods failed; BackoffLimitExceeded';
let web: TestWeb;
beforeEach(async () => {
  web = await startTestWeb();
  fillSample(web.store, NOW, 60);
});
afterEach(() => web.close());

const text = async (path: string): Promise<string> => (await (await web.get(path)).text()).replaceAll(/\s+/g, ' ');

it('says why a run failed in the list and on its page, in the same words', async () => {
  expect(await text('/?status=failed')).toContain(`<td class="why">${CAUSE}</td>`);
  expect(await text(`/runs/${sampleUid(1)}`)).toContain(CAUSE);
});

it('says what a stuck run waits for', async () => {
  expect(await text('/?status=stuck')).toContain('container worker waits with ImagePullBackOff: not found');
});

it('cuts a long cause in the list, not on the page', async () => {
  const message = `no match for ${'platform '.repeat(40)}in manifest`;
  put({ status: 'failed', reason: 'DeadlineExceeded' }, [
    { waiting: { reason: 'ErrImagePull', container: 'main', message } },
  ]);
  const list = await text('/?namespace=try');
  expect(list).toMatch(
    /<span title="container main waited with ErrImagePull: [^"]*DeadlineExceeded">container main [^<]*…<\/span>/,
  );
  expect(await text('/runs/run-of-try')).toContain('in manifest; DeadlineExceeded');
});

it('shows a pod that is away as over, without a node that it never had', async () => {
  put({ status: 'failed' }, [{ deleted: true, endedAt: NOW }, { podUid: 'b', goneAt: NOW }, { podUid: 'c' }]);
  const page = await text('/runs/run-of-try');
  expect(page).toContain('<td>Pending, deleted</td>');
  expect(page).toContain('<td>Pending, gone</td>');
  expect(page.match(/<td>no node<\/td>/g)).toHaveLength(2);
  expect(page.match(/<td>no node yet<\/td>/g)).toHaveLength(1);
});

it('shows a rollout as a run, by its workload and revision', async () => {
  put({ kind: 'Deployment', name: 'shop-web', revision: 7, status: 'cancelled', reason: 'ScaledToZero' }, [{}]);
  const list = await text('/?namespace=try');
  expect(list).toMatch(/>shop-web<\/a ?> <small>Deployment, revision 7<\/small>/);
  expect(list).toContain('cancelled: ScaledToZero');
  const page = await text('/runs/run-of-try');
  expect(page).toMatch(/<dt>Revision<\/dt> <dd>7<\/dd>/);
  expect(page).toContain('try-a');
  const { items } = JSON.parse(await text('/api/runs?namespace=try')) as { items: object[] };
  expect(items).toMatchObject([{ kind: 'Deployment', revision: 7 }]);
});

function put(changes: Partial<Run>, attempts: readonly Partial<Attempt>[]): void {
  const nothing = {
    ownerKind: undefined,
    ownerName: undefined,
    ownerUid: undefined,
    reason: undefined,
    message: undefined,
  };
  const times = { createdAt: NOW, startedAt: NOW, endedAt: NOW, scheduledAt: undefined };
  const run: Run = {
    uid: 'run-of-try',
    kind: 'Job',
    namespace: 'try',
    name: 'try',
    runKey: 'run-of-try',
    status: 'failed',
    deleted: false,
    ...nothing,
    ...times,
    ...changes,
  };
  const pod: Attempt = {
    podUid: 'a',
    podName: 'try-a',
    nodeName: undefined,
    phase: 'Pending',
    index: undefined,
    startedAt: undefined,
    endedAt: undefined,
    container: undefined,
    exitCode: undefined,
    reason: undefined,
  };
  web.store.transaction((tx) => {
    tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
    for (const changed of attempts) tx.runs.putAttempt(run.uid, { ...pod, ...changed });
  });
}
