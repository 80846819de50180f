import { GithubAuth } from './github-auth.ts';
import type { Permissions } from './github-auth.ts';
import { GithubDeployments } from './github-deployments.ts';
import { GithubLimits } from './github-limits.ts';
import { answerFault, describe } from './github-openapi.ts';
import type { DescribedRequest } from './github-openapi.ts';
import { GithubRecords } from './github-records.ts';
import type { Vendor, VendorAnswer, VendorRequest } from './vendor.ts';
import { json, table } from './vendor.ts';

/** Something that the real GitHub would refuse, or that a careful client would not do. */
export interface GithubViolation {
  readonly at: number;
  readonly kind: 'auth' | 'headers' | 'request' | 'rate' | 'path' | 'answer';
  readonly detail: string;
}

/** GitHub's API as its own OpenAPI description has it, at its root and below /api/v3. */
export class Github implements Vendor {
  readonly auth: GithubAuth;
  readonly artifacts = new GithubRecords();
  readonly releases = new GithubDeployments();
  readonly violations: GithubViolation[] = [];
  limits = new GithubLimits();
  /** Beginnings of paths that were renamed, and what they are now. */
  readonly renamed = new Map<string, string>();
  /** Its clock, where that is not the computer's. */
  clock: (() => number) | undefined;

  constructor(token: string) {
    this.auth = new GithubAuth(token);
  }

  handle(request: VendorRequest): VendorAnswer | undefined {
    const pathname = request.url.pathname.replace(/^\/api\/v3(?=\/)/, '');
    if (!/^\/(app|orgs|repos)\//.test(pathname)) return undefined;
    const at = this.clock?.() ?? request.at;
    const isChange = request.method !== 'GET';
    const impatience = pathname.startsWith('/app/') ? undefined : this.limits.impatience(isChange, at);
    if (impatience !== undefined) this.violate(at, 'rate', `${request.method} ${pathname}: ${impatience}`);
    const refusal = pathname.startsWith('/app/') ? undefined : this.limits.refusal(pathname, isChange, at);
    const answer = refusal ?? this.answer(request, pathname, at);
    const headers = { ...this.limits.headers(at), ...answer.headers };
    this.limits.paused(answer.status, headers, at);
    return { ...answer, headers };
  }

  private answer(request: VendorRequest, pathname: string, at: number): VendorAnswer {
    const { method, url, headers } = request;
    const body = bodyOf(request.body);
    const [old, now] = [...this.renamed].find(([prefix]) => pathname.startsWith(`${prefix}/`)) ?? [];
    if (old !== undefined && now !== undefined)
      return { status: 307, headers: { location: now + pathname.slice(old.length) + url.search }, body: '' };
    const described = describe(method, pathname, url.searchParams, body);
    if (described === undefined) return this.refuse(at, 404, 'path', `${method} ${pathname}`);
    const missing = missingHeader(headers, request.body);
    if (missing !== undefined) return this.refuse(at, 400, 'headers', `${method} ${pathname}: ${missing}`);
    const { path, parameters, faults } = described;
    if (path === '/app/installations/{installation_id}/access_tokens') {
      const issued = this.auth.issue(headers.authorization, Number(parameters['installation_id']), at);
      return typeof issued === 'string' ? json(401, { message: issued }) : json(201, issued);
    }
    const permissions = this.auth.permissions(headers.authorization, at);
    if (permissions === undefined) return json(401, { message: 'Bad credentials' });
    if (faults.length > 0) return this.refuse(at, 422, 'request', `${method} ${pathname}: ${faults.join(', ')}`);
    const answer = this.permitted(described, request, permissions, body, at);
    const fault = answerFault(path, method, answer.status, bodyOf(answer.body));
    if (fault !== undefined) this.violate(at, 'answer', `${method} ${path} ${answer.status}: ${fault}`);
    return answer;
  }

  private permitted(
    { path, parameters }: DescribedRequest,
    { method, url }: VendorRequest,
    permissions: Permissions,
    body: unknown,
    at: number,
  ): VendorAnswer {
    if (path.startsWith('/repos/'))
      return this.release(path, parameters, method, url.searchParams, permissions, body, at);
    const { org = '', cluster = '', subject_digest: digest = '', job_id: id = '' } = parameters;
    if (path === '/orgs/{org}') return json(200, { login: org });
    if (path === '/orgs/{org}/attestations/{subject_digest}')
      return permissions['attestations'] === undefined ? NOT_ACCESSIBLE : this.artifacts.attestations(digest);
    const level = permissions['artifact_metadata'];
    // As it does for an artifact that it does not know.
    if (level === undefined || (method !== 'GET' && level !== 'write'))
      return json(404, { message: 'no artifacts found', status: '404' });
    if (path === '/orgs/{org}/artifacts/{subject_digest}/metadata/deployment-records')
      return this.artifacts.ofDigest(org, digest);
    if (path.endsWith('/{job_id}')) return this.artifacts.jobStatus(org, cluster, Number(id), at);
    if (path.endsWith('/jobs')) return this.artifacts.createJob(org, cluster, body as never, at);
    if (path.endsWith('/deployment-record')) return this.artifacts.setOne(org, body as never, at);
    return this.refuse(at, 404, 'path', `${path} is not what the bridge uses`);
  }

  private release(
    path: string,
    { owner = '', repo = '', deployment_id: id = '' }: Readonly<Record<string, string>>,
    method: string,
    query: URLSearchParams,
    permissions: Permissions,
    body: unknown,
    at: number,
  ): VendorAnswer {
    const { releases } = this;
    if (releases.hidden.has(`${owner}/${repo}`)) return json(404, { message: 'Not Found' });
    if (permissions['deployments'] !== 'write') return NOT_ACCESSIBLE;
    if (path.endsWith('/statuses')) {
      if (method === 'GET') return releases.listStatuses(owner, repo, Number(id), query);
      return releases.createStatus(owner, repo, Number(id), body as never, at);
    }
    if (method === 'GET') return releases.list(owner, repo, query);
    return releases.create(owner, repo, body as never, at);
  }

  private refuse(at: number, status: number, kind: GithubViolation['kind'], detail: string): VendorAnswer {
    this.violate(at, kind, detail);
    return json(status, { message: detail, documentation_url: 'https://docs.github.com/rest' });
  }

  private violate(at: number, kind: GithubViolation['kind'], detail: string): void {
    this.violations.push({ at, kind, detail });
  }

  state(): object {
    const { artifacts, releases, violations } = this;
    const jobs = artifacts.jobs.map(({ id, cluster, size, status }) => ({ id, cluster, size, status }));
    return {
      records: [...artifacts.records.values()],
      history: artifacts.history,
      jobs,
      deployments: releases.deployments,
      violations,
    };
  }

  clear(): void {
    this.artifacts.clear();
    this.releases.clear();
    this.violations.length = 0;
    this.renamed.clear();
    this.limits = new GithubLimits();
  }

  html(): string {
    const records = [...this.artifacts.records.values()].map((record) => [
      record.deployment_name,
      record.status,
      `${record.name}${record.version === undefined ? '' : `:${record.version}`}`,
      record.digest.slice(0, 19),
      record.cluster,
    ]);
    const deployments = this.releases.deployments
      .slice(-50)
      .toReversed()
      .map((one) => {
        return [one.environment, `${one.owner}/${one.repo}`, one.ref.slice(0, 10), one.statuses.at(-1)?.state ?? ''];
      });
    const wrong = this.violations.slice(-20).map(({ kind, detail }) => [kind, detail]);
    return [
      `<h2>GitHub</h2><p>${records.length} records, ${this.violations.length} violations</p>`,
      table(['Deployment name', 'Status', 'Image', 'Digest', 'Cluster'], records),
      deployments.length === 0
        ? ''
        : `<h3>Deployments</h3>${table(['Environment', 'Repository', 'Commit', 'State'], deployments)}`,
      wrong.length === 0 ? '' : `<h3>Violations</h3>${table(['Kind', 'Detail'], wrong)}`,
    ].join('');
  }
}

const NOT_ACCESSIBLE = json(403, { message: 'Resource not accessible by integration', status: '403' });

/** What GitHub asks every request to have. */
function missingHeader(headers: VendorRequest['headers'], body: string): string | undefined {
  if (headers['accept'] !== 'application/vnd.github+json') return 'Accept is not application/vnd.github+json';
  if (!/^(2022-11-28|2026-03-10)$/.test(String(headers['x-github-api-version']))) return 'no X-GitHub-Api-Version';
  if ((headers['user-agent'] ?? '') === '') return 'no User-Agent';
  if (body !== '' && !/^application\/json\b/.test(headers['content-type'] ?? '')) return 'a body that is not JSON';
  return undefined;
}

function bodyOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
