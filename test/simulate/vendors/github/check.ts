import type { GithubDeployment } from '../../../vendors/github-deployments.ts';
import type { Failure } from '../../checker.ts';
import { digestOf } from '../../world/workload-objects.ts';
import type { Checking } from '../vendor.ts';
import type { GithubAccount } from './account.ts';

/** What is wrong with the records and Deployments of an organisation. */
export function checkGithub(account: GithubAccount, checking: Checking): Failure[] {
  // Nobody keeps the records of a destination that has left.
  const isKept = checking.tenures.at(-1)?.removedAt === undefined;
  return [...(isKept ? checkRecords(account, checking) : []), ...checkDeployments(account)];
}

const MANY_RUNS = 3;

/** Between what runs and what the records say there is no difference. */
function checkRecords({ artifacts }: GithubAccount, { simulation: { api, truth, shown } }: Checking): Failure[] {
  const failures: Failure[] = [];
  const fail = (name: string, what: string): void => void failures.push({ what: `record of ${name}: ${what}` });
  const records = new Map([...artifacts.records.values()].map((record) => [record.deployment_name, record]));
  const alive = new Set<string>();
  for (const { namespace, name, uid, deletedAt } of truth.workloads.values()) {
    if (deletedAt !== undefined) continue;
    const deploymentName = `${namespace}/${name}/main`;
    alive.add(deploymentName);
    const digests = runningDigests(api, uid);
    const record = records.get(deploymentName);
    if (digests.size === 0) continue;
    if (record?.status !== 'deployed') fail(deploymentName, `is ${record?.status ?? 'not there'}, and pods of it run`);
    else if (!digests.has(record.digest)) fail(deploymentName, `has ${record.digest}, pods run ${[...digests].join()}`);
  }
  for (const cronJob of truth.cronJobs.values()) {
    if (cronJob.deletedAt !== undefined) continue;
    const deploymentName = `${cronJob.namespace}/${cronJob.name}/main`;
    alive.add(deploymentName);
    // One that was made again and has not run since has nothing deployed; a pod may have come and gone unseen.
    const runs = [...truth.jobs.values()].filter((job) => job.cronJob === cronJob && shown.get(job.uid)?.runningAt);
    if (runs.length >= MANY_RUNS && records.get(deploymentName)?.status === 'decommissioned')
      fail(deploymentName, 'its CronJob is there');
  }
  for (const { namespace, name, cronJob, removedAt } of truth.jobs.values())
    if (cronJob === undefined && removedAt === undefined) alive.add(`${namespace}/${name}/main`);
  for (const [name, { status }] of records)
    if (status === 'deployed' && !alive.has(name)) fail(name, 'is deployed, and nothing of it is there');
  return failures;
}

/** What the pods of a workload run. */
function runningDigests(api: Checking['simulation']['api'], workload: string): Set<string> {
  const ownerOf = (object: { metadata: { ownerReferences?: readonly { uid: string }[] } }): string =>
    object.metadata.ownerReferences?.[0]?.uid ?? '';
  const owners = new Set([
    workload,
    ...api.list('replicasets').flatMap((one) => (ownerOf(one) === workload ? [one.metadata.uid] : [])),
  ]);
  const running = api.list('pods').filter((pod) => {
    return owners.has(ownerOf(pod)) && pod.status?.['phase'] === 'Running' && !('deletionTimestamp' in pod.metadata);
  });
  return new Set(
    running.map(({ spec }) => digestOf((spec as { containers: { image: string }[] }).containers[0]!.image)),
  );
}

/** Of each rollout at most one, each state once in a row, and of each workload at most one that stands. */
function checkDeployments({ releases: { deployments } }: GithubAccount): Failure[] {
  const failures: Failure[] = [];
  for (const [run, same] of Map.groupBy(deployments, (one) => payloadOf(one).run)) {
    const states = same.map(({ statuses }) => statuses.map(({ state }) => state));
    if (same.length > 1) failures.push({ what: `${same.length} Deployments of one rollout`, uid: run });
    if (states.some((list) => list.some((state, index) => state === list[index - 1])))
      failures.push({ what: `a status twice: ${JSON.stringify(states)}`, uid: run });
  }
  for (const [workload, same] of Map.groupBy(deployments, (one) => payloadOf(one).workload)) {
    const standing = same.filter(({ statuses }) => statuses.at(-1)?.state === 'success');
    if (standing.length > 1)
      failures.push({ what: `two Deployments of ${workload} stand: ${same.map(text).join('; ')}` });
  }
  return failures;
}

function text({ id, statuses }: GithubDeployment): string {
  return `${id} ${statuses.map(({ at, state }) => `${state} ${new Date(at).toISOString()}`).join(', ')}`;
}

function payloadOf({ payload }: GithubDeployment): { readonly run: string; readonly workload: string } {
  return payload as { readonly run: string; readonly workload: string };
}
