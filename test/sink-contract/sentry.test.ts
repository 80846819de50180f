import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll } from 'vitest';
import type { Json } from '../../bridge/lib/json.ts';
import { sentrySchema } from '../../bridge/sinks/sentry/config.ts';
import { cronJob, planContext, rules, run, transition } from '../../bridge/sinks/sentry/cron-fixtures.ts';
import { createSentryDeliverer } from '../../bridge/sinks/sentry/deliver.ts';
import { monitorConfig } from '../../bridge/sinks/sentry/monitor.ts';
import { payloadSchema } from '../../bridge/sinks/sentry/payload.ts';
import { wantedSchema } from '../../bridge/sinks/sentry/plan-monitor.ts';
import { createSentryPlanner } from '../../bridge/sinks/sentry/plan.ts';
import type { ClaimedDesired } from '../../bridge/sinks/sink.ts';
import { desiredContext } from '../fixtures/desired-context.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { SENTRY_KEY } from '../vendors/start-vendors.ts';
import type { PlannedIntent, SinkCase, StatusTable } from './sink-case.ts';
import { sinkContract } from './sink-contract.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'sentry-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

const planner = createSentryPlanner('contract', rules({ crons: { checkinMargin: '60m' } }, true));
const owner = (row: number) => cronJob({}, { uid: `cronjob-${row}`, name: `report-${row}` });

function intents(number: number): PlannedIntent[] {
  const uid = `run-${number}`;
  const times = { createdAt: START, scheduledAt: START, startedAt: START + 1_000 };
  const context = planContext({ run: run({ uid, runKey: uid, ...times }), cronJob: owner(number) });
  const edges = [
    transition({ id: `${uid}/started`, runUid: uid, at: START + 1_000 }),
    transition({ id: `${uid}/ended`, runUid: uid, kind: 'run.ended', outcome: 'failed', at: START + 9_000 }),
  ];
  return edges.flatMap((edge, index) => {
    const planned = planner.plan(edge, context);
    if (planned === null || 'drop' in planned) throw new Error('nothing is planned');
    const claimed = { seq: number * 10 + index, destination: planner.destination, transitionId: edge.id, attempt: 1 };
    return planned.intents.map(({ story: _story, storm: _storm, ...intent }) => ({ ...intent, ...claimed }));
  });
}

function desired(row: number, version: 'A' | 'B'): ClaimedDesired {
  const facts = { ...owner(row), schedule: version === 'A' ? '*/5 * * * *' : '0 4 * * *' };
  const [planned] = planner.planDesired(facts, desiredContext());
  const wanted = planned!.wanted as Json;
  return { key: planned!.key, wanted, destination: planner.destination, wantedHash: version, attempt: 1 };
}

/** What is wanted in the version whose settings the vendor has. */
function kept({ sentry }: Vendors, row: number): Json | undefined {
  const versions = (['A', 'B'] as const).map((version) => desired(row, version).wanted);
  return versions.find((wanted) => {
    const { monitor } = wantedSchema.parse(wanted);
    // The API has the owner outside of it.
    const { owner: _owner, ...config } = monitorConfig(monitor, START) as Record<string, Json>;
    return isDeepStrictEqual(sentry.crons().monitors.get(monitor.slug)?.config, config);
  });
}

const held = (reason: string, key: string) => ({ outcome: 'retry', reason, hold: { key } });
const dropped = (reason: string) => ({ outcome: 'drop', reason });
const items: StatusTable = [
  [400, dropped('bad_request')],
  [401, held('unauthorized', 'default')],
  [403, held('forbidden', 'default')],
  [404, dropped('not_found')],
  [413, dropped('too_large')],
];
const monitors: StatusTable = [
  [400, dropped('bad_request')],
  [401, held('unauthorized', 'api')],
  [403, held('forbidden', 'api')],
  // It is made.
  [404, { outcome: 'delivered' }],
];

function makeCase(vendors: Vendors): SinkCase {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, vendors.key);
  vendors.sentry.api.tokens.add(vendors.key);
  return {
    match: { intent: ['POST', '/envelope/'], desired: 'PUT /api/0/' },
    missing: 404,
    secrets: [SENTRY_KEY, vendors.key],
    refusals: { intent: items, desired: monitors },
    planner,
    deliverer(http, clock) {
      const dsn = `${vendors.url.replace('://', `://${SENTRY_KEY}@`)}/1`;
      const config = sentrySchema.parse({ dsn, api: { tokenFile, url: vendors.url, organization: 'acme' } });
      // That it is sparing in its first minutes is tried elsewhere: here it only takes time.
      let early = 600_000;
      const made = createSentryDeliverer('contract', config, http, { now: () => clock.now() - early });
      early = 0;
      return made;
    },
    intents,
    desired,
    identify({ payload }) {
      const { checkIn } = payloadSchema.parse(payload) as { checkIn: { id: string; status: string } };
      return `${checkIn.id} ${checkIn.status}`;
    },
    processed: ({ sentry }) => sentry.checkIns.map(({ checkIn: { check_in_id: id, status } }) => `${id} ${status}`),
    kept,
  };
}

sinkContract('Sentry', makeCase);
