import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const E2E = 'test/e2e/cronitor.test.ts';
const LOGS = 'bridge/sinks/cronitor/logs.test.ts';
const RUNS = 'test/e2e/cronitor/runs.ts';

/**
 * What a replacement of cronitor-kubernetes is asked, and the test that shows the answer: by file and title. Those
 * marked ✗ fail with cronitor-kubernetes 0.9.
 */
const SCENARIOS: readonly (readonly [scenario: string, file: string, title: string])[] = [
  ['1 run → complete: one series, the UID of the Job, and its times', RUNS, '1 a success is run and complete'],
  ['2 BackoffLimitExceeded → fail', RUNS, '2 BackoffLimitExceeded is fail'],
  ['3 an own key in the path', RUNS, '3 an own key is in the path'],
  ['4 env by annotation or by default', RUNS, '4 an annotation env wins'],
  ['5 log-complete-event', RUNS, '5 log-complete-event makes logs of complete'],
  ['5 log-complete-event', RUNS, '5 log-complete-event leaves a failure'],
  ['6 send-pod-start-event on', RUNS, '6 send-pod-start-event is one more run'],
  ['6 send-pod-start-event off', 'bridge/sinks/cronitor/plan-run.test.ts', 'send-pod-start-event'],
  ['7 logs: presign, gzip, PUT', LOGS, 'asks for an address and puts the gzipped text there'],
  ['7 logs: the ping', LOGS, 'then reports it with the length of the whole'],
  ['8 a dry run is silent', E2E, '8 a dry run sends nothing'],
  ['8 a dry run is silent', 'test/replay/faults.test.ts', 'of a dry run hears nothing'],
  ['9 the scope of namespaces', E2E, '9 what is outside of the scope'],
  ['10 default exclude, with include', E2E, '10 an account with defaultBehavior exclude'],
  ['11 a time zone changed, added, removed', E2E, '11 a time zone that is added, changed and removed'],
  ['12 exclude on and off', E2E, '12 exclude pauses the monitor'],
  ['13 ✗ Never, backoffLimit 2, several pods: fail', RUNS, '13 Never with backoffLimit 2'],
  ['13 ✗ Never, backoffLimit 2, several pods: complete', E2E, '13 a pod that fails and one that succeeds'],
  ['14 ✗ parallelism 3', RUNS, '14 parallelism 3: one run, one complete'],
  ['15 ✗ activeDeadlineSeconds', RUNS, '15 activeDeadlineSeconds is fail'],
  ['16 ✗ exclude: "yes"', E2E, '16 an exclude that is not a boolean'],
  ['16 ✗ exclude: "yes" is reported', 'test/e2e/write-back.test.ts', 'a CronJob with annotations that cannot be read'],
  ['17 ✗ a change of annotations alone', E2E, '17 annotations alone that change'],
  ['18 ✗ a PUT that fails', E2E, '18 monitors that could not be sent'],
  ['19 ✗ a ping with 429 or 500', E2E, '19 a ping that is answered with 429 or 500'],
  ['20 ✗ a watch that ends around an end', E2E, '20 a watch that ends before the Job does'],
  ['20 ✗ a watch that is too old', 'test/faults/watches.test.ts', 'when etcd is compacted and the watches get 410'],
  ['21 ✗ Events deleted and changed', E2E, '21 Events of Kubernetes that come again'],
  ['22 ✗ logs of several containers: which', 'bridge/ingest/logs.test.ts', 'are those of app containers'],
  ['22 ✗ logs of several containers: asked by name', 'bridge/cluster/logs.test.ts', 'is asked for by container'],
  ['22 ✗ logs of several containers: sent as one', LOGS, 'of several has a heading for each'],
  ['23 ✗ suspended, deleted', E2E, '23 a suspended CronJob pauses its monitor'],
  ['24 ✗ SIGTERM', E2E, '24 SIGTERM lets what is under way end'],
  ['24 ✗ SIGTERM', 'test/replay/stream.test.ts', 'keeps what it acknowledged over SIGTERM'],
  ['25 ✗ a restart during a run', E2E, '25 a run that ends while the bridge is away'],
];

it.each(SCENARIOS)('%s: %s has the test "%s"', (_scenario, file, title) => {
  const text = readFileSync(join(root, file), 'utf8');
  expect([`'${title}`, `"${title}`, `\`${title}`].some((start) => text.includes(start))).toBe(true);
});

it('every scenario of the 25 has a test', () => {
  const numbers = new Set(SCENARIOS.map(([scenario]) => Number.parseInt(scenario)));
  expect([...numbers]).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
});
