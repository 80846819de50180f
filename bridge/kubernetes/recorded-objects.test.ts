import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordedObject } from '../../test/fixtures/recorded.ts';
import { recordedObjects, versionsOf } from '../../test/fixtures/recorded.ts';
import { runKeyOf } from '../lifecycle/run.ts';
import { isOwnedByCronJob, isOwnedByJob } from './metadata.ts';
import type { CronJobFacts, Facts, JobFacts, PodFacts } from './observation.ts';
import { readObject } from '../../test/fixtures/default-sink.ts';

let objects: RecordedObject[];

beforeAll(async () => {
  objects = await recordedObjects();
});

const at = (time: string): number => Date.parse(`2026-11-21T${time}Z`);

function history<F extends Facts>(kind: F['kind'], name: RegExp): (F & { deleted: boolean })[] {
  return versionsOf(objects, kind, name).map(({ object, deleted }) => ({ ...(readObject(object) as F), deleted }));
}
const jobs = (name: RegExp) => history<JobFacts>('Job', name);
const pods = (name: RegExp) => history<PodFacts>('Pod', name);
const cronJobs = (name: RegExp) => history<CronJobFacts>('CronJob', name);

describe('a Job of a real node', () => {
  it('that is gone at once shows Complete, its times and its deletion in the last record', () => {
    expect(jobs(/^short-lived$/).at(-1)).toMatchObject({
      deleted: true,
      namespace: 'shop',
      startAt: at('06:10:40'),
      completionAt: at('06:10:44'),
      deletionAt: at('06:10:44'),
      owner: undefined,
      conditions: [
        { type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached' },
        { type: 'Complete', status: 'True', reason: 'CompletionsReached', at: at('06:10:44') },
      ],
      active: 0,
      succeeded: 1,
      failed: 0,
    });
  });

  it('that was deleted while active has no condition and no deletionTimestamp', () => {
    const last = jobs(/^doomed$/).at(-1);
    expect(last).toMatchObject({ deleted: true, conditions: [], completionAt: undefined, deletionAt: undefined });
    expect(last?.active).toBe(1);
  });

  it('that its schedule made shows the scheduled instant, written with the zone of its CronJob', () => {
    const [resumed] = jobs(/^report-29920693$/);
    expect(resumed?.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']).toBe('2026-11-21T07:13:00+01:00');
    expect(resumed).toMatchObject({ scheduledAt: at('06:13:00'), createdAt: at('06:13:21'), manual: false });
    expect(runKeyOf(resumed!)).toBe(`${resumed!.owner!.uid}/${at('06:13:00')}`);
  });

  it('belongs to its CronJob by UID and API group', () => {
    const [job] = jobs(/^sync-stock-29920692$/);
    const [cronJob] = cronJobs(/^sync-stock$/);
    expect(job?.owner).toEqual({ group: 'batch', kind: 'CronJob', name: 'sync-stock', uid: cronJob?.uid });
    expect(isOwnedByCronJob(job?.owner)).toBe(true);
    expect(job?.scheduledAt).toBe(at('06:12:00'));
  });

  it('made by hand from a CronJob is manual, owned and a run of its own', () => {
    const [manual] = jobs(/^manual-report$/);
    expect(manual).toMatchObject({ manual: true, scheduledAt: undefined, owner: { kind: 'CronJob', name: 'report' } });
    expect(runKeyOf(manual!)).toBe(manual!.uid);
  });

  it('with shards shows how many there are and how many have ended', () => {
    const shards = jobs(/^shards$/);
    expect(shards[0]).toMatchObject({
      indexed: true,
      completions: 4,
      parallelism: 2,
      backoffLimit: 6,
      startAt: undefined,
    });
    expect(shards.map(({ succeeded }) => succeeded)).toEqual(
      shards.map(({ succeeded }) => succeeded).toSorted((a, b) => a - b),
    );
    expect(shards.at(-1)).toMatchObject({ succeeded: 4, active: 0, completionAt: at('06:10:57') });
  });

  it.each([
    ['sync-stock-29920692', 'BackoffLimitExceeded', 3],
    ['thumbnails-29920692', 'BackoffLimitExceeded', 1],
    ['migrate', 'BackoffLimitExceeded', 2],
    ['too-big', 'DeadlineExceeded', 1],
    ['import-legacy', 'DeadlineExceeded', 1],
  ])('%s failed with %s after %i pods', (name, reason, failed) => {
    const conditions = jobs(new RegExp(`^${name}$`)).at(-1)?.conditions;
    expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['FailureTarget', 'True', reason],
      ['Failed', 'True', reason],
    ]);
    expect(jobs(new RegExp(`^${name}$`)).at(-1)?.failed).toBe(failed);
  });
});

describe('a pod of a real node', () => {
  it('shows an OOM kill with node, code, reason and times', () => {
    expect(pods(/^thumbnails-29920692/).at(-1)).toMatchObject({
      deleted: true,
      phase: 'Failed',
      nodeName: 'node1',
      restartPolicy: 'Never',
      containers: [
        {
          name: 'resize',
          type: 'app',
          restartCount: 0,
          waiting: undefined,
          terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: at('06:12:00') },
        },
      ],
    });
  });

  it('shows the failing init container before the app container that never ran', () => {
    const failed = pods(/^migrate-nhz94$/).find(({ phase }) => phase === 'Failed');
    expect(failed?.containers).toMatchObject([
      { name: 'wait-for-db', type: 'init', terminated: { exitCode: 2, reason: 'Error' } },
      { name: 'migrate', type: 'app', waiting: { reason: 'PodInitializing' }, terminated: undefined },
    ]);
  });

  it('waits with ErrImagePull and ImagePullBackOff in turns', () => {
    const reasons = pods(/^import-legacy/).flatMap(({ containers }) => containers[0]?.waiting?.reason ?? []);
    expect(new Set(reasons)).toEqual(new Set(['ContainerCreating', 'ErrImagePull', 'ImagePullBackOff']));
    const pull = pods(/^import-legacy/).find(({ containers }) => containers[0]?.waiting?.reason === 'ErrImagePull');
    expect(pull?.containers[0]?.waiting?.message).toContain('registry.example.com/legacy/import:9');
  });

  it('has one time of its deletion request, before and after its grace period was ended', () => {
    const deleting = pods(/^import-legacy/).filter(({ deletionAt }) => deletionAt !== undefined);
    expect(deleting.length).toBeGreaterThan(2);
    expect(new Set(deleting.map(({ deletionAt }) => deletionAt))).toEqual(new Set([at('06:12:20')]));
  });

  it('that no node can take says why, and has no container', () => {
    const unschedulable = pods(/^too-big/).at(-1);
    expect(unschedulable?.unschedulable).toContain('0/1 nodes are available: 1 Insufficient cpu');
    expect(unschedulable).toMatchObject({ phase: 'Pending', nodeName: undefined, startAt: undefined, containers: [] });
  });

  it.each([0, 1, 2, 3])('of shard %i shows its index and its Job', (index) => {
    const shard = pods(new RegExp(`^shards-${index}-`)).at(-1);
    expect(shard).toMatchObject({ completionIndex: index, phase: 'Succeeded', owner: { kind: 'Job', name: 'shards' } });
    expect(isOwnedByJob(shard?.owner)).toBe(true);
  });

  it('of a Deployment is its ReplicaSet’s and of a StatefulSet its own, neither a Job’s', () => {
    expect(pods(/^web-/)[0]?.owner).toMatchObject({ group: 'apps', kind: 'ReplicaSet' });
    expect(pods(/^ledger-/)[0]?.owner).toMatchObject({ group: 'apps', kind: 'StatefulSet' });
    expect(isOwnedByJob(pods(/^web-/)[0]?.owner)).toBe(false);
  });

  it('that is restarted keeps the last end beside the running instance', () => {
    const restarted = pods(/^ledger-0$/).find(({ containers }) => containers[0]?.restartCount === 1);
    expect(restarted?.containers[0]).toMatchObject({
      runningSince: expect.any(Number),
      terminated: undefined,
      lastTerminated: { exitCode: 70, reason: 'Error' },
    });
  });
});

describe('a CronJob of a real node', () => {
  it('shows schedule, zone, policy and what it is doing', () => {
    const [first] = cronJobs(/^report$/);
    expect(first).toMatchObject({
      schedule: '* * * * *',
      timeZone: 'Europe/Berlin',
      suspend: false,
      concurrencyPolicy: 'Forbid',
      lastScheduleAt: undefined,
      activeUids: [],
    });
    const active = cronJobs(/^report$/).find(({ activeUids }) => activeUids.length > 0);
    expect(active).toMatchObject({ lastScheduleAt: at('06:11:00'), activeUids: [jobs(/^report-29920691$/)[0]?.uid] });
  });

  it('is suspended, then resumed with another schedule', () => {
    const seen = cronJobs(/^report$/).map(({ suspend, schedule }) => `${suspend} ${schedule}`);
    expect([...new Set(seen)]).toEqual(['false * * * * *', 'true * * * * *', 'false */1 * * * *']);
  });

  it('without a zone has none', () => {
    expect(cronJobs(/^sync-stock$/).at(-1)).toMatchObject({ deleted: true, timeZone: undefined });
  });
});

describe('the facts of all recorded objects', () => {
  it('hold no annotation that no rule reads, no managed field and no command', () => {
    const text = objects.map(({ object }) => JSON.stringify(readObject(object) ?? null)).join('\n');
    expect(text).not.toMatch(/last-applied|managedFields|addtime|f:metadata|imagePullPolicy|echo /);
  });

  it('are read from CronJobs, Jobs and Pods and from nothing else', () => {
    const read = objects.filter(({ object }) => readObject(object) !== undefined);
    expect(new Set(read.map(({ object }) => object['kind']))).toEqual(new Set(['CronJob', 'Job', 'Pod']));
  });
});
