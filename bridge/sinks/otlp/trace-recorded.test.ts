import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { played } from '../../../test/fixtures/played.ts';
import type { TestEngine } from '../../ingest/test-engine.ts';
import type { ClaimedIntent } from '../sink.ts';
import { otlpSchema } from './config.ts';
import { spansOf } from './deliver.ts';
import { createOtlpPlanner } from './plan.ts';

const HOUR = 3_600_000;

let bridge: TestEngine;
let settled: readonly ClaimedIntent[];

/** Two runs of a CronJob on a real node, as its Collector sent them: test/fixtures/recordings, retries. */
beforeAll(async () => {
  const config = otlpSchema.parse({ endpoint: 'http://127.0.0.1:4317' });
  bridge = await played('retries', createOtlpPlanner('default', config), HOUR);
  settled = bridge.store.claim('opentelemetry/default', 10, Date.now() + HOUR, [], false);
});
afterAll(() => bridge.close());

/** Each span below its parent, by start: name, id, whether it failed, and the traces that it links to. */
function golden({ story }: ClaimedIntent): string[] {
  const spans = spansOf(story!, { clusterName: 'node', attributes: {} }, undefined);
  const [root] = spans;
  expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(
    new Set([story!.run.uid.replaceAll('-', '')]),
  );
  const below = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter((span) => span.parentSpanContext?.spanId === parent)
      .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
      .flatMap((span) => {
        const { spanId } = span.spanContext();
        const links = span.links.map(({ context }) => ` → ${context.traceId} ${context.spanId}`).join('');
        const line = `${'  '.repeat(depth)}${span.name} ${spanId}${span.status.code === SpanStatusCode.ERROR ? ' ✗' : ''}${links}`;
        return [line, ...below(spanId, depth + 1)];
      });
  const lines = below(undefined, 0);
  expect(lines).toHaveLength(spans.length);
  expect(root!.parentSpanContext).toBeUndefined();
  return lines;
}

it('of a run whose first two pods failed has each pod with its containers, the pull, and the pauses between', () => {
  expect(settled).toHaveLength(2);
  expect(golden(settled[0]!)).toEqual([
    'RUN import e52261c0451707e1',
    '  attempt aa9765c08de4460f ✗',
    '    init container 96219f7b98a97df8',
    '    pull image 779e8ec0a3493239',
    '    container 510eaec78bfb138c ✗',
    '  back-off d9749fcc90cf0ff8',
    '  attempt 35e7af18569f5230 ✗',
    '    init container e22cb93a8cb072f8',
    '    container b522626f16ee41c7 ✗',
    '  back-off fe6ae6637241f4c2',
    '  attempt 8b5bc4c258659dea',
    '    init container 3650fecb2cb934ad',
    '    container a74af9c88127a159',
  ]);
});

it('of the next run is alike under its own ids, and links to the one before', () => {
  expect(golden(settled[1]!)).toEqual([
    'RUN import 2e8e0b166900a0d7 → c433297563eb4b7194964e3b0a5a59ba e52261c0451707e1',
    '  attempt d3a220707316c795 ✗',
    '    init container c945ca82f6d91089',
    '    container 3e29ef45a24c8f92 ✗',
    '  back-off 8fb51a0f3c9968d5',
    '  attempt c86a541ffb14f7b3 ✗',
    '    init container 3d74ce964ef32089',
    '    container 2179763197cb51eb ✗',
    '  back-off a734ff2b6f98e9cd',
    '  attempt 0634b0a00f1fe272',
    '    init container b5ad41e240525114',
    '    container 256d9281ba31f9bc',
  ]);
});

it('a rollout that got stuck on a real node is sent at each milestone and at its end, in that order, once', async () => {
  const config = otlpSchema.parse({ endpoint: 'http://127.0.0.1:4317' });
  const rollouts = await played('rollouts', createOtlpPlanner('default', config), HOUR);
  const { items } = rollouts.reader.deliveries({ limit: 1000 });
  rollouts.close();
  const lanes = [...Map.groupBy(items.toReversed(), ({ lane }) => lane).values()].map((lane) =>
    lane.map(({ transitionId }) => transitionId.split('/').slice(2).join('/')),
  );
  expect(lanes).toContainEqual(['progressing', 'stuck/image', 'settled']);
  expect(lanes.filter((lane) => new Set(lane).size < lane.length)).toEqual([]);
});
