import { canonicalJson } from '../../bridge/lib/json.ts';
import { rowOf } from '../../bridge/sinks/github/bench.ts';
import { githubSchema } from '../../bridge/sinks/github/config.ts';
import { createGithubDeliverer } from '../../bridge/sinks/github/deliver.ts';
import { readDeploymentIntent } from '../../bridge/sinks/github/deployment.ts';
import type { DeploymentState } from '../../bridge/sinks/github/deployment.ts';
import { createGithubPlanner } from '../../bridge/sinks/github/plan.ts';
import type { ClaimedDesired } from '../../bridge/sinks/sink.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import type { PlannedIntent, SinkCase, StatusTable } from './sink-case.ts';

const DESTINATION = 'github/contract';
const SETTINGS = { org: 'acme', cluster: 'prod-1', logicalEnvironment: 'production' };
const planner = createGithubPlanner('contract', githubSchema.parse({ ...SETTINGS, credential: 'token' }));

function intents(number: number): PlannedIntent[] {
  const run = `run-${number}`;
  const states: readonly DeploymentState[] = ['in_progress', 'success'];
  return states.map((state, index) => {
    const payload = {
      owner: 'acme',
      repo: 'shop',
      ref: 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d',
      environment: 'production',
      description: 'Deployment shop/web',
      run,
      workload: `prod-1/Deployment/shop/${run}`,
      status: { state, description: state },
    };
    const key = `${run}/${state}`;
    const claimed = { seq: number * 10 + index, destination: DESTINATION, transitionId: key, attempt: 1 };
    return { ...claimed, key, lane: run, payload, limits: LIMITS };
  });
}

const LIMITS = ['api', 'credentials'].map((key) => ({ key, perSecond: 3 }));

function desired(row: number, version: 'A' | 'B'): ClaimedDesired {
  return { ...rowOf(`app-${row}`, { version }), destination: DESTINATION, wantedHash: version };
}

const dropped = (reason: string) => ({ outcome: 'drop', reason });
const retried = (reason: string) => ({ outcome: 'retry', reason });
const releases: StatusTable = [
  [400, dropped('bad_request')],
  [401, { outcome: 'retry', reason: 'unauthorized', hold: { key: 'credentials' } }],
  [403, retried('forbidden')],
  [404, retried('not_found')],
  [409, retried('conflict')],
  [422, dropped('bad_request')],
  [200, retried('bad_answer')],
];
const records: StatusTable = [
  [400, dropped('bad_request')],
  [401, { outcome: 'drop', reason: 'unauthorized', hold: { key: 'credentials' } }],
  [403, dropped('forbidden')],
  [404, { outcome: 'drop' }],
  [409, retried('conflict')],
  [422, dropped('bad_request')],
];

const log = { info: () => {} };

/** GitHub's case; `settings`: what its destination is set to beside the address. */
export function githubCase(
  vendors: Vendors,
  settings: object = { credential: vendors.key, bulkSync: false },
): SinkCase {
  return {
    match: { intent: ['POST', '/statuses'], desired: 'POST /orgs/' },
    secrets: [vendors.key],
    refusals: { intent: releases, desired: records },
    looksFirst: true,
    planner,
    deliverer(http, clock) {
      const apiUrl = vendors.url.replace('127.0.0.1', 'localhost');
      const config = githubSchema.parse({ ...SETTINGS, apiUrl, ...settings });
      // Its own pauses are tried elsewhere: here they only take time.
      return createGithubDeliverer('contract', config, { http, clock, log }, () => Promise.resolve());
    },
    intents,
    desired,
    identify({ payload }) {
      const intent = readDeploymentIntent(payload)!;
      return canonicalJson({ run: intent.run, state: intent.status.state });
    },
    processed: ({ github }) => github.releases.given.map(({ run, state }) => canonicalJson({ run, state })),
    kept: ({ github }, row) =>
      [...github.artifacts.records.values()].find(({ deployment_name }) => deployment_name === `app-${row}`),
  };
}
