import { desiredContext } from '../fixtures/desired-context.ts';
import { z } from 'zod';
import type { Json } from '../../bridge/lib/json.ts';
import { canonicalJson } from '../../bridge/lib/json.ts';
import { cronitorSchema } from '../../bridge/sinks/cronitor/config.ts';
import { createCronitorDeliverer } from '../../bridge/sinks/cronitor/deliver.ts';
import { cronJob, planConfig, planContext, run, transition } from '../../bridge/sinks/cronitor/fixtures.ts';
import { pingSchema } from '../../bridge/sinks/cronitor/ping.ts';
import { createCronitorPlanner } from '../../bridge/sinks/cronitor/plan.ts';
import type { ClaimedDesired } from '../../bridge/sinks/sink.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { sinkContract } from './sink-contract.ts';
import type { PlannedIntent, SinkCase, StatusTable } from './sink-case.ts';

const planner = createCronitorPlanner('contract', planConfig({ env: 'test', tags: ['contract'] }));
const owner = (row: number) => cronJob({}, { uid: `cronjob-${row}`, name: `job-${row}` });

function intents(number: number): PlannedIntent[] {
  const uid = `run-${number}`;
  const edges = [
    transition({ id: `${uid}/started`, runUid: uid }),
    transition({
      id: `${uid}/ended`,
      runUid: uid,
      kind: 'run.ended',
      outcome: 'failed',
      reason: 'BackoffLimitExceeded',
    }),
  ];
  return edges.flatMap((edge, index) => {
    const planned = planner.plan(edge, planContext({ run: run({ uid }), cronJob: owner(number) }));
    if (planned === null || 'drop' in planned) throw new Error('nothing is planned');
    const claimed = { seq: number * 10 + index, destination: planner.destination, transitionId: edge.id, attempt: 1 };
    return planned.intents.map(({ key, lane, payload, limits, waitsFor }) => {
      return { ...claimed, key, lane, payload, limits, ...(waitsFor !== undefined && { waitsFor }) };
    });
  });
}

function desired(row: number, version: 'A' | 'B'): ClaimedDesired {
  const facts = { ...owner(row), schedule: version === 'A' ? '*/5 * * * *' : '0 4 * * *' };
  const [wanted] = planner.planDesired(facts, desiredContext());
  return {
    key: wanted!.key,
    wanted: wanted!.wanted as Json,
    destination: planner.destination,
    wantedHash: version,
    attempt: 1,
  };
}

const identifySchema = z.object({ monitor: z.string(), query: z.record(z.string(), z.string()) });
const dropped = (reason: string) => ({ outcome: 'drop', reason });
const held = (reason: string) => ({ outcome: 'retry', reason, hold: { key: 'address' } });
const pings: StatusTable = [
  [400, dropped('bad_request')],
  [401, held('unauthorized')],
  [403, held('forbidden')],
  [404, dropped('not_found')],
  [410, dropped('bad_request')],
];
const puts: StatusTable = [
  [200, { outcome: 'retry', reason: 'bad_answer' }],
  [204, { outcome: 'retry', reason: 'bad_answer' }],
  [400, dropped('bad_request')],
  [401, dropped('unauthorized')],
  [403, dropped('forbidden')],
  [404, dropped('not_found')],
];

function makeCase(vendors: Vendors): SinkCase {
  return {
    match: { intent: 'POST /ping/', desired: 'PUT /api/monitors' },
    secrets: [vendors.key],
    refusals: { intent: pings, desired: puts },
    planner,
    deliverer(http, clock) {
      const base = { apiKey: vendors.key, apiUrl: vendors.url, pingUrl: `${vendors.url}/` };
      return createCronitorDeliverer('contract', cronitorSchema.parse(base), http, clock);
    },
    intents,
    desired,
    identify(intent) {
      const { key: monitor, query } = pingSchema.parse(intent.payload);
      return canonicalJson({ monitor, query });
    },
    processed: ({ cronitor }) => cronitor.pings.map((ping) => canonicalJson(identifySchema.parse(ping))),
    kept: ({ cronitor }, row) => cronitor.monitors.get(`cronjob-${row}`),
  };
}

sinkContract('Cronitor', makeCase);
