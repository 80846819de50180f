import { gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import { SentryStage } from '../../test/fixtures/sentry-stage.ts';

let stage: SentryStage;
afterEach(() => stage.close());

const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: 'd' };
const crashed = podFacts({
  owner,
  phase: 'Running',
  startAt: T0,
  containers: [
    container({ restartCount: 1, runningSince: T0 + 9_000, lastTerminated: terminated(3, T0 + 5_000) }),
    container({ name: 'side', terminated: terminated(0, T0 + 6_000) }),
  ],
});
const claim = () => stage.bridge.store.claim('sentry/default', 10, T0 + 60_000, [], false, 10);

it('the log of a container that failed in a pod of no run is read, and comes with the story of its pod', () => {
  stage = new SentryStage({}, { shipLogs: true });
  stage.see(crashed);
  const wanted = stage.bridge.store.wantedLogs(10, T0 + 60_000, []);
  expect(wanted).toMatchObject([{ podUid: crashed.uid, container: 'main', instance: 0, namespace: 'shop' }]);
  const text = gzipSync('it broke');
  const limits = { maxRunBytes: 1_000, maxStoredBytes: 1_000 };
  stage.bridge.store.settleLogs([{ id: wanted[0]!.id, outcome: 'kept', text, bytes: 8 }], limits, T0 + 60_000);
  const [intent] = claim();
  expect(intent).toMatchObject({
    payload: { tails: { podUid: crashed.uid, container: 'main', instance: 0 } },
    story: { run: { kind: 'Pod', name: crashed.name }, logs: [{ container: 'main', outcome: 'kept' }] },
  });
});

it('no log is read where logs are not sent, or the container was stopped with its pod', () => {
  stage = new SentryStage({}, { shipLogs: false });
  stage.see(crashed);
  expect(stage.bridge.store.wantedLogs(10, T0 + 60_000, [])).toEqual([]);
  stage.close();
  stage = new SentryStage({}, { shipLogs: true });
  stage.see({
    ...crashed,
    deletionAt: T0 + 1_000,
    containers: [container({ terminated: terminated(143, T0 + 5_000) })],
  });
  expect(stage.bridge.store.wantedLogs(10, T0 + 60_000, [])).toEqual([]);
});
