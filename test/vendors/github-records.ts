import type { VendorAnswer } from './vendor.ts';
import { json } from './vendor.ts';

/** A deployment record as GitHub keeps it: what identifies it, and what was sent last. */
export interface KeptRecord {
  readonly org: string;
  readonly logical_environment: string;
  readonly physical_environment: string;
  readonly cluster: string;
  readonly deployment_name: string;
  readonly name: string;
  readonly digest: string;
  readonly version?: string;
  readonly status: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly runtime_risks?: readonly string[];
  readonly github_repository?: string;
}

/** A record that was set, and how. */
export interface SetRecord extends KeptRecord {
  readonly at: number;
  readonly by: 'single' | 'job';
}

/** How long the simulated GitHub works at a job that nobody asks for. */
const UNASKED_MS = 20_000;

export interface GithubJob {
  readonly id: number;
  readonly org: string;
  readonly cluster: string;
  readonly size: number;
  readonly createdAt: number;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  /** How often it is asked for before it ends. */
  polls: number;
  readonly taken: readonly KeptRecord[];
}

type Entry = Omit<KeptRecord, 'org' | 'logical_environment' | 'physical_environment' | 'cluster' | 'status'> & {
  readonly status?: string;
};

interface Where {
  readonly org: string;
  readonly logical_environment: string;
  readonly physical_environment?: string;
  readonly cluster?: string;
}

/** GitHub's artifact metadata: which artifacts it knows, their deployment records, and jobs. */
export class GithubRecords {
  /** By what identifies them. */
  readonly records = new Map<string, KeptRecord>();
  /** Every record that was set, in order. */
  readonly history: SetRecord[] = [];
  readonly jobs: GithubJob[] = [];
  /** Digests without an attestation: known only by a repository that is named. */
  readonly unknown = new Set<string>();
  /** Digests of repositories that the credentials may not write. */
  readonly unwritable = new Set<string>();
  /** How often a job is asked for before it ends. */
  pollsOfJob = 2;
  /** What becomes of the next jobs, first of all. */
  readonly fates: ('failed' | 'never')[] = [];

  setOne(org: string, body: Where & Entry, at: number): VendorAnswer {
    if (this.rejection(body) !== undefined) return json(404, { message: 'no artifacts found', status: '404' });
    this.keep(kept({ ...body, org }, body), 'single', at);
    return json(200, { total_count: 1 });
  }

  /** Jobs end by themselves too, when whoever made them does not ask any more. */
  private endOld(at: number): void {
    for (const job of this.jobs.filter(isUnderWay))
      if (Number.isFinite(job.polls) && at - job.createdAt > UNASKED_MS) this.end(job, at);
  }

  createJob(org: string, cluster: string, body: Where & { deployments: readonly Entry[] }, at: number): VendorAnswer {
    this.endOld(at);
    if (this.jobs.some((job) => job.org === org && job.cluster === cluster && isUnderWay(job)))
      return json(409, { message: 'A job is already in progress for this cluster', status: '409' });
    const names = body.deployments.map(({ deployment_name }) => deployment_name);
    if (new Set(names).size < names.length)
      return json(400, { message: 'deployment_name must be unique across all entries', status: '400' });
    const errors = body.deployments.flatMap((deployment) => {
      const cause = this.rejection(deployment);
      return cause === undefined ? [] : [{ cause, deployment }];
    });
    const taken = body.deployments
      .filter((deployment) => this.rejection(deployment) === undefined)
      .map((deployment) => kept({ ...body, org, cluster }, deployment));
    const id = 100 + this.jobs.length;
    const polls = this.pollsOfJob;
    const job: GithubJob = { id, org, cluster, size: names.length, createdAt: at, status: 'pending', polls, taken };
    this.jobs.push(job);
    const fate = this.fates.shift();
    if (fate === 'never') job.polls = Infinity;
    else if (fate === 'failed') job.status = 'failed';
    else if (job.polls === 0) this.end(job, at);
    return json(202, { job_id: id, ...(errors.length > 0 && { errors }) });
  }

  jobStatus(org: string, cluster: string, id: number, at: number): VendorAnswer {
    const job = this.jobs.find((one) => one.id === id && one.org === org && one.cluster === cluster);
    if (job === undefined) return json(404, { message: 'Not Found', status: '404' });
    if (isUnderWay(job)) {
      job.status = 'processing';
      if (--job.polls <= 0) this.end(job, at);
    }
    const { status, taken } = job;
    return json(200, { job_id: id, status, ...(status === 'completed' && { total_count: taken.length }) });
  }

  /** The attestations of a digest that the credentials may see. */
  attestations(digest: string): VendorAnswer {
    if (this.unknown.has(digest)) return json(404, { message: 'Not Found', status: '404' });
    return json(200, { attestations: [{ repository_id: 1, bundle_url: 'https://example.com/bundle' }] });
  }

  ofDigest(org: string, digest: string): VendorAnswer {
    const found = [...this.records.values()].filter((record) => record.org === org && record.digest === digest);
    const records = found.map((record, index) => ({ id: index + 1, ...record }));
    return json(200, { total_count: records.length, deployment_records: records });
  }

  clear(): void {
    this.records.clear();
    this.history.length = 0;
    this.jobs.length = 0;
    this.unknown.clear();
    this.unwritable.clear();
    this.fates.length = 0;
    this.pollsOfJob = 2;
  }

  private rejection({ digest, github_repository: repository }: Entry): string | undefined {
    if (this.unwritable.has(digest)) return 'unauthorized';
    return this.unknown.has(digest) && repository === undefined ? 'not_found' : undefined;
  }

  private end(job: GithubJob, at: number): void {
    job.status = 'completed';
    for (const record of job.taken) this.keep(record, 'job', at);
  }

  private keep(record: KeptRecord, by: SetRecord['by'], at: number): void {
    const { org, logical_environment, physical_environment, cluster, deployment_name } = record;
    const key = JSON.stringify([org, logical_environment, physical_environment, cluster, deployment_name]);
    this.records.set(key, record);
    this.history.push({ ...record, at, by });
  }
}

/** A job that GitHub works at: no other one of its cluster is taken. */
function isUnderWay({ status }: GithubJob): boolean {
  return status === 'pending' || status === 'processing';
}

function kept({ org, logical_environment, physical_environment = '', cluster = '' }: Where, entry: Entry): KeptRecord {
  const { deployment_name, name, digest, version, status = 'deployed', tags, runtime_risks, github_repository } = entry;
  return {
    org,
    logical_environment,
    physical_environment,
    cluster,
    deployment_name,
    name,
    digest,
    status,
    ...(version !== undefined && { version }),
    ...(tags !== undefined && { tags }),
    ...(runtime_risks !== undefined && { runtime_risks }),
    ...(github_repository !== undefined && { github_repository }),
  };
}
