import { describe, expect, it } from 'vitest';
import { container, podFacts } from '../../../test/fixtures/facts.ts';
import { deployment } from '../../lifecycle/testing/rollouts.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import type { Run, Transition } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import { rules } from './cron-fixtures.ts';
import { deployHears, planDeploy } from './plan-deploy.ts';

const NOON = Date.UTC(2026, 10, 30, 12);

function plan(
  object: Facts,
  outcome: Transition['outcome'] = 'succeeded',
  settings: object = {},
  image = 'web:latest',
): Planned {
  const { kind, namespace, name, uid } = object;
  const run = { uid: 'r2', kind, namespace, name, revision: 2, startedAt: NOON, runKey: `${uid}/2` } as Run;
  const context = {
    run,
    object: () => object,
    runObject: () => undefined,
    owners: () => [],
    attempts: () => [{ podUid: 'pod-1', phase: 'Running' }],
    facts: () => podFacts({ containers: [container({ image })] }),
    namespace: () => undefined,
  } as unknown as PlanContext;
  const about = { kind, namespace, name, uid };
  const ended = {
    id: 'r2/ended',
    kind: 'run.ended',
    at: NOON + 60_000,
    about,
    runUid: 'r2',
    text: '',
    outcome,
  } as Transition;
  return planDeploy(ended, context, rules({ deploys: true, api: { tokenFile: 'x' }, ...settings }, true));
}

describe('a rollout', () => {
  it('that succeeded is a deploy of the release that its label or its image says', () => {
    const labelled = deployment({ labels: { 'app.kubernetes.io/version': '1.4.2' } });
    expect(plan(labelled)).toMatchObject({
      intents: [
        {
          key: 'r2/ended/deploy',
          payload: {
            kind: 'deploy',
            release: '1.4.2',
            item: {
              environment: 'production',
              dateStarted: '2026-11-30T12:00:00.000Z',
              dateFinished: '2026-11-30T12:01:00.000Z',
            },
          },
        },
      ],
    });
    const image = 'registry.example.com:5000/shop/web:2.0.1@sha256:abc';
    expect(plan(deployment(), 'succeeded', {}, image)).toMatchObject({ intents: [{ payload: { release: '2.0.1' } }] });
  });

  it('of which nothing says the release is not reported, with the reason', () => {
    expect(plan(deployment())).toEqual({ drop: 'no_release' });
  });

  it('that failed, or is not selected, is not a deploy', () => {
    expect(plan(deployment(), 'failed')).toBeNull();
    expect(plan(deployment(), 'succeeded', { excludeNamespaces: [deployment().namespace] })).toEqual({
      drop: 'not_selected',
    });
  });

  it('is heard of only where deploys are wanted and there is a token', () => {
    expect(deployHears(rules())).toEqual([]);
    expect(deployHears({ ...rules(), deploys: true, hasApi: true })).toEqual(['run.ended']);
  });
});
