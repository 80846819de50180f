import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { encodeLogs, watchBody } from '../../../test/otlp-client.ts';
import { loadConfig } from '../../config/load.ts';
import { openReader } from '../../store/sqlite/open.ts';
import type { CallMessage } from './protocol.ts';
import { serve } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'service-'));
afterEach(() => rmSync(folder, { recursive: true }));

const T0 = Date.UTC(2026, 0, 1);
const started = { active: 1, startTime: '2026-01-01T00:00:00Z' };
const metadata = { uid: 'a', name: 'a', namespace: 'ns', resourceVersion: '1', creationTimestamp: started.startTime };
const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {}, status: started };

it('an export is answered when everything that it holds can be read from the store, not earlier', () => {
  const path = join(folder, 'bridge.db');
  const config = loadConfig({ env: { LIFECYCLE_BRIDGE__STORE__PATH: path } });
  let take: (calls: readonly CallMessage[]) => void = () => undefined;
  const known: (string | undefined)[] = [];
  serve(
    { config, startedAt: T0 },
    {
      post: (messages) => {
        const answers = messages.filter((message) => message.type === 'answer' && message.ids.includes(1));
        const reader = openReader(path);
        known.push(...answers.map(() => reader.run('a')?.run.status));
        reader.close();
      },
      onCalls: (given) => void (take = given),
      next: () => undefined,
    },
  );
  const bytes = encodeLogs([{ body: watchBody('ADDED', job), observedAt: T0 }], { clusterName: 'c' });
  take([{ id: 1, method: 'ingest', args: [bytes, T0] }]);
  expect(known).toEqual(['running']);
  take([{ id: 2, method: 'close', args: [] }]);
});
