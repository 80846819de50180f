import { describe, expect, it } from 'vitest';
import { deployment, statefulSet } from '../../lifecycle/testing/rollouts.ts';
import type { Json } from '../../lib/json.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import type { Outcome, Run, Transition } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import { githubSchema } from './config.ts';
import { deploymentProblems, planDeployments } from './plan-deployments.ts';

const COMMIT = 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d';
const NAMED = { 'github.lifecycle-bridge.io/repository': 'shop' };
const web = (changes: object = {}) => deployment({ annotations: NAMED, sourceRevision: COMMIT, ...changes });

function config(changes: object = {}) {
  const settings = {
    org: 'acme',
    credential: 'token',
    cluster: 'prod-1',
    logicalEnvironment: 'production',
    deployments: { repositories: ['shop'] },
    ...changes,
  };
  return { ...githubSchema.parse(settings), pageUrl: 'https://bridge.example.com' };
}

const rollout = (object: Facts, revision = 2): Run => ({
  uid: `rollout-${revision}`,
  kind: 'Deployment',
  namespace: object.namespace,
  name: object.name,
  runKey: `${object.uid}/${revision}`,
  revision,
  ownerKind: object.kind,
  ownerName: object.name,
  ownerUid: object.uid,
  status: 'running',
  createdAt: 0,
  scheduledAt: undefined,
  startedAt: 0,
  endedAt: undefined,
  reason: undefined,
  message: undefined,
  deleted: false,
});

function plan(object: Facts, changes: Partial<Transition> = {}, settings: object = {}, memo?: Json): Planned {
  const run = rollout(object);
  const { kind, namespace, name, uid } = object;
  const transition: Transition = {
    id: `${run.runKey}/started`,
    kind: 'run.started',
    at: 0,
    about: { kind, namespace, name, uid },
    runUid: run.uid,
    text: 'rolling out',
    ...changes,
  };
  const context: PlanContext = {
    run,
    memo,
    object: () => object,
    runObject: () => undefined,
    facts: () => undefined,
    owners: () => [],
    namespace: () => undefined,
    attempts: () => [],
    attempt: () => undefined,
    logs: () => [],
    events: () => [],
    stickyKey: () => undefined,
  };
  return planDeployments(transition, context, config(settings));
}

function payload(planned: Planned): Record<string, Json> {
  if (planned === null || !('intents' in planned)) throw new Error('nothing is planned');
  return planned.intents[0]!.payload as Record<string, Json>;
}

const ended = (outcome: Outcome): Partial<Transition> => ({ id: 'x/ended', kind: 'run.ended', outcome });

describe('a rollout of a workload that names its repository', () => {
  it('becomes a Deployment in progress', () => {
    expect(plan(web())).toMatchObject({
      intents: [{ lane: 'deployment/rollout-2', limits: [{ key: 'api' }, { key: 'credentials' }] }],
    });
    expect(payload(plan(web()))).toEqual({
      owner: 'acme',
      repo: 'shop',
      ref: COMMIT,
      environment: 'production',
      description: 'Deployment shop/web, revision 2',
      run: 'rollout-2',
      workload: 'prod-1/Deployment/shop/web',
      status: {
        state: 'in_progress',
        description: 'rolling out',
        log_url: 'https://bridge.example.com/runs/rollout-2',
      },
    });
  });

  it.each([
    ['succeeded', 'success'],
    ['failed', 'failure'],
    ['cancelled', 'inactive'],
    ['superseded', 'inactive'],
    ['rolled_back', 'inactive'],
    ['unknown', 'inactive'],
  ] as const)('that %s ends it as %s', (outcome, state) => {
    expect(payload(plan(web(), ended(outcome)))).toMatchObject({ status: { state } });
  });

  it('says why it failed, in at most 140 characters', () => {
    const message = `${'very '.repeat(40)}long`;
    const { status } = payload(plan(web(), { ...ended('failed'), message }));
    expect((status as { description: string }).description).toMatch(/^failed: very .*…$/);
    expect(Array.from((status as { description: string }).description)).toHaveLength(140);
  });

  it.each([
    ['names another repository', web({ annotations: { 'github.lifecycle-bridge.io/repository': 'other' } }), {}],
    ['names none any more', web({ annotations: {} }), {}],
    ['names no commit any more', web({ sourceRevision: undefined }), {}],
    ['is left out by now', web(), { excludeNamespaces: ['shop'] }],
    ['is of a repository that gets none by now', web(), { deployments: {} }],
  ])('ends where it began although the workload %s', (_, later, settings) => {
    const started = plan(web());
    if (started === null || !('memo' in started)) throw new Error('nothing is planned');
    expect(payload(plan(later, ended('succeeded'), settings, started.memo))).toMatchObject({
      repo: 'shop',
      ref: COMMIT,
      status: { state: 'success' },
    });
  });

  it('ends with the commit and the environment of its start, whatever the workload is by then', () => {
    const started = plan(web());
    if (started === null || !('memo' in started)) throw new Error('nothing is planned');
    const later = web({
      sourceRevision: 'other',
      annotations: { ...NAMED, 'github.lifecycle-bridge.io/environment': 'x' },
    });
    expect(payload(plan(later, ended('superseded'), {}, started.memo))).toMatchObject({
      ref: COMMIT,
      environment: 'production',
    });
  });

  it('is the same for a StatefulSet', () => {
    const ledger = statefulSet({ annotations: NAMED, sourceRevision: COMMIT });
    expect(payload(plan(ledger))).toMatchObject({ workload: 'prod-1/StatefulSet/shop/ledger' });
  });
});

describe('the place of a Deployment', () => {
  it('is that of the annotations, then of the settings for Deployments, then of the first route, then of the destination', () => {
    const routes = [{ namespaces: ['shop'], org: 'retail', logicalEnvironment: 'live' }];
    const own = { repositories: ['*'], environment: 'cluster', environmentUrl: 'https://shop.example.com' };
    const annotations = {
      ...NAMED,
      'github.lifecycle-bridge.io/environment': 'blue',
      'github.lifecycle-bridge.io/environment-url': 'https://blue.example.com/',
    };
    expect(payload(plan(web({ annotations }), {}, { deployments: own, routes }))).toMatchObject({
      owner: 'retail',
      environment: 'blue',
      status: { environment_url: 'https://blue.example.com/' },
    });
    expect(payload(plan(web(), {}, { deployments: own, routes }))).toMatchObject({
      environment: 'cluster',
      status: { environment_url: 'https://shop.example.com' },
    });
    expect(payload(plan(web(), {}, { routes }))).toMatchObject({ owner: 'retail', environment: 'live' });
  });
});

describe('no Deployment', () => {
  it.each([
    ['of a workload that names no repository', web({ annotations: {} }), {}, null],
    ['where no repository gets them', web(), { deployments: {} }, null],
    ['of another repository', web(), { deployments: { repositories: ['web'] } }, { drop: 'not_selected', once: true }],
    ['of a namespace that is left out', web(), { excludeNamespaces: ['shop'] }, { drop: 'not_selected', once: true }],
    ['without a commit', deployment({ annotations: NAMED }), {}, { drop: 'no_source_revision', once: true }],
  ])('is made %s', (_, object, settings, planned) => {
    expect(plan(object, {}, settings)).toEqual(planned);
  });
});

describe('an annotation for Deployments', () => {
  it.each([
    ['repository', 'acme/shop'],
    ['repository', '..'],
    ['environment', ' '],
    ['environment', 'x'.repeat(256)],
    ['environment-url', 'shop.example.com'],
    ['environment-url', 'javascript:alert(1)'],
  ])('%s: %s is reported, and counts for nothing', (name, value) => {
    const annotation = `github.lifecycle-bridge.io/${name}`;
    const object = web({ annotations: { ...NAMED, [annotation]: value } });
    expect(deploymentProblems(object)).toMatchObject([
      { annotation, used: expect.any(String), allowed: expect.any(String) },
    ]);
    const counts = name === 'repository' ? { drop: 'not_selected', once: true } : plan(web());
    expect(plan(object)).toEqual(counts);
  });
});
