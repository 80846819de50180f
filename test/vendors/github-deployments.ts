import type { VendorAnswer } from './vendor.ts';
import { json } from './vendor.ts';

export type StatusState = 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success';

export interface DeploymentStatus {
  readonly id: number;
  readonly at: number;
  readonly state: StatusState;
  readonly description: string;
  readonly environment: string;
  readonly environment_url: string;
  readonly log_url: string;
}

export interface GithubDeployment {
  readonly id: number;
  readonly at: number;
  readonly owner: string;
  readonly repo: string;
  readonly ref: string;
  readonly task: string;
  readonly payload: unknown;
  readonly environment: string;
  readonly description: string;
  readonly transient_environment: boolean;
  readonly production_environment: boolean;
  /** Oldest first. */
  readonly statuses: DeploymentStatus[];
}

interface Fields {
  readonly ref: string;
  readonly task?: string;
  readonly auto_merge?: boolean;
  readonly required_contexts?: readonly string[];
  readonly payload?: unknown;
  readonly environment?: string;
  readonly description?: string;
  readonly transient_environment?: boolean;
  readonly production_environment?: boolean;
}

interface StatusFields {
  readonly state: StatusState;
  readonly description?: string;
  readonly environment?: string;
  readonly environment_url?: string;
  readonly log_url?: string;
  readonly auto_inactive?: boolean;
}

interface Filter {
  readonly sha: string | null;
  readonly ref: string | null;
  readonly task: string | null;
  readonly environment: string | null;
}

/** GitHub Deployments with their statuses. */
export class GithubDeployments {
  /** In the order in which they were made. */
  readonly deployments: GithubDeployment[] = [];
  /** Statuses in the order in which they were given, with the rollout that the payload names. */
  readonly given: { readonly run: string; readonly state: StatusState }[] = [];
  /** Commits that no repository has. */
  readonly unknownRefs = new Set<string>();
  /** Repositories that the credentials do not see: `owner/repo`. */
  readonly hidden = new Set<string>();
  #ids = 0;

  list(owner: string, repo: string, query: URLSearchParams): VendorAnswer {
    const filter: Filter = {
      sha: query.get('sha'),
      ref: query.get('ref'),
      task: query.get('task'),
      environment: query.get('environment'),
    };
    const found = this.deployments.filter((one) => one.owner === owner && one.repo === repo && matches(one, filter));
    return json(200, pageOf(found.toReversed().map(shown), query));
  }

  create(owner: string, repo: string, fields: Fields, at: number): VendorAnswer {
    if (this.unknownRefs.has(fields.ref)) return json(422, unprocessable(`No ref found for: ${fields.ref}`));
    // Without this every check of the commit must have passed, which this simulation has none of.
    if (fields.required_contexts?.length !== 0)
      return json(409, { message: 'Conflict: Commit status checks failed for this ref.' });
    if (fields.auto_merge !== false) return json(202, { message: 'Auto-merged the default branch into it.' });
    const { environment = 'production' } = fields;
    const deployment: GithubDeployment = {
      id: ++this.#ids,
      at,
      owner,
      repo,
      ref: fields.ref,
      task: fields.task ?? 'deploy',
      payload: fields.payload ?? {},
      environment,
      description: fields.description ?? '',
      transient_environment: fields.transient_environment ?? false,
      production_environment: fields.production_environment ?? environment === 'production',
      statuses: [],
    };
    this.deployments.push(deployment);
    return json(201, shown(deployment));
  }

  listStatuses(owner: string, repo: string, id: number, query: URLSearchParams): VendorAnswer {
    const found = this.find(owner, repo, id);
    if (found === undefined) return json(404, { message: 'Not Found' });
    return json(200, pageOf(found.statuses.toReversed().map(shownStatus), query));
  }

  createStatus(owner: string, repo: string, id: number, fields: StatusFields, at: number): VendorAnswer {
    const found = this.find(owner, repo, id);
    if (found === undefined) return json(404, { message: 'Not Found' });
    if (Array.from(fields.description ?? '').length > 140)
      return json(422, unprocessable('description is too long (maximum is 140 characters)'));
    const status: DeploymentStatus = {
      id: ++this.#ids,
      at,
      state: fields.state,
      description: fields.description ?? '',
      environment: fields.environment ?? found.environment,
      environment_url: fields.environment_url ?? '',
      log_url: fields.log_url ?? '',
    };
    if (fields.state === 'success' && fields.auto_inactive !== false) this.closeEarlier(found, at);
    found.statuses.push(status);
    const { run } = found.payload as { readonly run?: unknown };
    this.given.push({ run: typeof run === 'string' ? run : '', state: status.state });
    return json(201, shownStatus(status));
  }

  clear(): void {
    this.deployments.length = 0;
    this.given.length = 0;
    this.unknownRefs.clear();
    this.hidden.clear();
  }

  private find(owner: string, repo: string, id: number): GithubDeployment | undefined {
    return this.deployments.find((one) => one.owner === owner && one.repo === repo && one.id === id);
  }

  /** What GitHub does by itself: earlier ones of the same environment, unless it is transient or production. */
  private closeEarlier({ id, owner, repo, environment }: GithubDeployment, at: number): void {
    const same = this.deployments.filter(
      (one) =>
        one.id < id &&
        one.owner === owner &&
        one.repo === repo &&
        one.environment === environment &&
        !one.transient_environment &&
        !one.production_environment &&
        one.statuses.at(-1)?.state === 'success',
    );
    const rest = { description: '', environment, environment_url: '', log_url: '' };
    for (const { statuses } of same) statuses.push({ id: ++this.#ids, at, state: 'inactive', ...rest });
  }
}

function matches(one: GithubDeployment, { sha, ref, task, environment }: Filter): boolean {
  return [
    [sha, one.ref],
    [ref, one.ref],
    [task, one.task],
    [environment, one.environment],
  ].every(([wanted, is]) => wanted === null || wanted === 'none' || wanted === is);
}

function pageOf<T>(items: readonly T[], query: URLSearchParams): readonly T[] {
  const size = Number(query.get('per_page') ?? 30);
  const page = Number(query.get('page') ?? 1);
  return items.slice((page - 1) * size, page * size);
}

const unprocessable = (message: string): object => ({
  message,
  documentation_url: 'https://docs.github.com/rest/deployments/deployments',
});

function shown(one: GithubDeployment): object {
  const url = `https://api.github.com/repos/${one.owner}/${one.repo}/deployments/${one.id}`;
  return {
    url,
    id: one.id,
    node_id: `D_${one.id}`,
    sha: one.ref,
    ref: one.ref,
    task: one.task,
    payload: one.payload,
    original_environment: one.environment,
    environment: one.environment,
    description: one.description,
    creator: null,
    created_at: new Date(one.at).toISOString(),
    updated_at: new Date(one.at).toISOString(),
    statuses_url: `${url}/statuses`,
    repository_url: `https://api.github.com/repos/${one.owner}/${one.repo}`,
    transient_environment: one.transient_environment,
    production_environment: one.production_environment,
  };
}

function shownStatus(one: DeploymentStatus): object {
  const url = `https://api.github.com/statuses/${one.id}`;
  return {
    url,
    id: one.id,
    node_id: `S_${one.id}`,
    state: one.state,
    creator: null,
    description: one.description,
    environment: one.environment,
    created_at: new Date(one.at).toISOString(),
    updated_at: new Date(one.at).toISOString(),
    deployment_url: url,
    repository_url: url,
    // Really empty where there is none, which is not a URI as its description wants it.
    ...(one.environment_url !== '' && { environment_url: one.environment_url }),
    ...(one.log_url !== '' && { log_url: one.log_url }),
    target_url: one.log_url === '' ? url : one.log_url,
  };
}
