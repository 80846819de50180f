import { z } from 'zod';
import type { Dropped, SentryCrons } from './sentry-crons.ts';
import type { SentryViolation } from './sentry.ts';
import { monitorConfigSchema } from './sentry-rules.ts';
import type { VendorAnswer, VendorRequest } from './vendor.ts';
import { json } from './vendor.ts';

/** What the API needs of the rest of the simulated vendor. */
interface Ingestion {
  crons(project?: string): SentryCrons;
  refuse(at: number, status: number, kind: SentryViolation['kind'], detail: string): VendorAnswer;
}

const monitorSchema = z.object({
  project: z.string().optional(),
  name: z.string().min(1).max(128),
  slug: z.string().regex(/^(?!\d+$)[a-z0-9_-]{1,50}$/, 'is not a slug'),
  type: z.literal('cron_job').optional(),
  status: z.enum(['active', 'disabled']).optional(),
  is_muted: z.boolean().optional(),
  owner: z.string().nullish(),
  config: z.looseObject({ schedule: z.unknown() }),
});

const deploySchema = z.strictObject({
  environment: z.string().min(1).max(64),
  name: z.string().max(64).optional(),
  url: z.string().optional(),
  dateStarted: z.iso.datetime().optional(),
  dateFinished: z.iso.datetime().optional(),
  projects: z.array(z.string()).optional(),
});

const releaseSchema = z.strictObject({ version: z.string().min(1).max(250), projects: z.array(z.string()).min(1) });

/** The part of `/api/0/` that is used, of one organisation whose project has the number 1 and the slug `project`. */
export class SentryApi {
  readonly tokens: Set<string>;
  readonly releases = new Set<string>();
  readonly deploys: { readonly release: string; readonly deploy: z.infer<typeof deploySchema> }[] = [];
  readonly #ingestion: Ingestion;

  constructor(token: string, ingestion: Ingestion) {
    this.tokens = new Set([token]);
    this.#ingestion = ingestion;
  }

  handle(request: VendorRequest): VendorAnswer {
    const { method, url, headers, at } = request;
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.has(token)) return this.#refuse(at, 401, 'Invalid token');
    const path = url.pathname.slice('/api/0/'.length).split('/').map(decodeURIComponent);
    const [area, , what, ...rest] = path;
    if (area === 'projects') return this.#project(request, path);
    if (area !== 'organizations') return this.#refuse(at, 404, url.pathname);
    if (what === '' && method === 'GET') return json(200, { id: '1', slug: 'acme' });
    if (what === 'monitors') return this.#monitors(request, rest);
    if (what === 'releases') return this.#releases(request, rest);
    if (what === 'processing-errors') return json(200, this.#errors());
    return this.#refuse(at, 404, url.pathname);
  }

  #project(request: VendorRequest, [, , project, what, slug]: readonly string[]): VendorAnswer {
    const { url, at, method } = request;
    if (what === 'monitors' && url.pathname.endsWith('/processing-errors/'))
      return json(
        200,
        this.#errors().filter(({ checkin }) => checkin.payload.monitor_slug === slug),
      );
    if (what === 'monitors') return this.#monitors(request, [slug ?? ''], project);
    if (what === '' && method === 'GET') return json(200, { id: project, slug: 'project', name: 'project' });
    return this.#refuse(at, 404, url.pathname);
  }

  #errors() {
    return this.#ingestion.crons().dropped.map(({ slug, type, at, checkInId }: Dropped) => ({
      id: checkInId,
      errors: [{ type }],
      checkin: { ts: new Date(at).toISOString(), payload: { monitor_slug: slug, check_in_id: checkInId } },
    }));
  }

  #monitors({ method, body, at, url }: VendorRequest, [slug = '']: readonly string[], project?: string): VendorAnswer {
    const { monitors } = this.#ingestion.crons(project);
    if (method === 'GET' && slug === '')
      return json(
        200,
        [...monitors.values()].map(({ slug: one, status, config }) => ({ slug: one, status, config })),
      );
    const known = monitors.get(slug);
    if (method === 'GET')
      return known === undefined ? json(404, {}) : json(200, { slug, status: known.status, config: known.config });
    if (method === 'DELETE') return monitors.delete(slug) ? json(202, {}) : json(404, {});
    if (method !== 'POST' && method !== 'PUT') return this.#refuse(at, 405, `${method} ${url.pathname}`);
    const parsed = monitorSchema.safeParse(parse(body));
    if (!parsed.success) return this.#refuse(at, 400, parsed.error.message);
    const config = monitorConfigSchema.safeParse(configOf(parsed.data.config));
    if (!config.success) return this.#refuse(at, 400, config.error.message);
    const { slug: wanted, status = known?.status ?? 'active' } = parsed.data;
    if (method === 'PUT' && known === undefined) return json(404, { detail: 'The requested resource does not exist' });
    if (method === 'POST' && monitors.has(wanted))
      return json(400, { slug: [`The slug "${wanted}" is already in use.`] });
    if (known === undefined) this.#ingestion.crons(project).make(wanted, config.data, status);
    else Object.assign(known, { config: config.data, status });
    return json(method === 'POST' ? 201 : 200, { slug: wanted, status, config: config.data });
  }

  #releases({ method, body, at, url }: VendorRequest, [version = '', what]: readonly string[]): VendorAnswer {
    if (method !== 'POST') return this.#refuse(at, 405, `${method} ${url.pathname}`);
    if (version === '') {
      const release = releaseSchema.safeParse(parse(body));
      if (!release.success) return this.#refuse(at, 400, release.error.message);
      const isKnown = this.releases.has(release.data.version);
      this.releases.add(release.data.version);
      return json(isKnown ? 208 : 201, release.data);
    }
    const deploy = deploySchema.safeParse(parse(body));
    if (what !== 'deploys' || !deploy.success) return this.#refuse(at, 400, String(deploy.error ?? url.pathname));
    if (!this.releases.has(version)) return json(404, { detail: 'The requested resource does not exist' });
    this.deploys.push({ release: version, deploy: deploy.data });
    return json(201, { id: String(this.deploys.length), ...deploy.data });
  }

  #refuse(at: number, status: number, detail: string): VendorAnswer {
    return this.#ingestion.refuse(at, status, 'api', detail);
  }

  state(): object {
    return { deploys: this.deploys };
  }

  clear(): void {
    this.releases.clear();
    this.deploys.length = 0;
  }
}

/** The API has the schedule flat: `schedule_type` and `schedule`. */
function configOf({ schedule_type: type, schedule, ...config }: Readonly<Record<string, unknown>>): object {
  if (type !== 'interval') return { ...config, schedule: { type: 'crontab', value: schedule } };
  const [value, unit] = schedule as unknown[];
  return { ...config, schedule: { type, value, unit } };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
