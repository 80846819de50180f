import type { z } from 'zod';
import { SentryApi } from './sentry-api.ts';
import { SentryCrons } from './sentry-crons.ts';
import type { Envelope, EnvelopeItem } from './sentry-envelope.ts';
import { EnvelopeError, parseJson, readEnvelope } from './sentry-envelope.ts';
import type { CheckIn, Log } from './sentry-rules.ts';
import { checkInSchema, clientReportSchema, eventSchema, hex32, logSchema } from './sentry-rules.ts';
import type { Vendor, VendorAnswer, VendorRequest } from './vendor.ts';
import { json, table } from './vendor.ts';

export interface KeptEvent {
  readonly at: number;
  readonly project: string;
  readonly event: z.infer<typeof eventSchema>;
  readonly attachments: readonly { readonly filename: string; readonly text: string }[];
}

/** Something that the real vendor would refuse or change, or that a careful client would not do. */
export interface SentryViolation {
  readonly at: number;
  readonly kind: 'auth' | 'envelope' | 'event' | 'check_in' | 'log' | 'client_report' | 'attachment' | 'rate' | 'api';
  readonly detail: string;
}

const MAX_ITEM = 1024 * 1024;
const MAX_CHECK_IN = 100 * 1024;
const MAX_REPORT = 4096;
const LOG_TYPE = 'application/vnd.sentry.items.log+json';
/** Within this time a second event with the same id is dropped. */
const DEDUPE_MS = 3_600_000;

/** The category of rate limits that an item counts in. */
const CATEGORIES: Readonly<Record<string, string>> = {
  event: 'error',
  check_in: 'monitor',
  log: 'log_item',
  attachment: 'attachment',
};

/** Sentry's ingestion, as its documentation and its sources have it, and the part of its API that is used. */
export class Sentry implements Vendor {
  /** Public keys that are let in. */
  readonly keys: Set<string>;
  readonly events: KeptEvent[] = [];
  /** Check-ins of all projects in order of arrival: those that were not refused by a quota. */
  readonly checkIns: { readonly at: number; readonly project: string; readonly checkIn: CheckIn }[] = [];
  readonly logs: { readonly project: string; readonly log: Log }[] = [];
  readonly discarded: { readonly reason: string; readonly category: string; readonly quantity: number }[] = [];
  readonly violations: SentryViolation[] = [];
  /** Event ids that came twice: the second was dropped after HTTP 200. */
  readonly duplicates: string[] = [];
  /** By project number. */
  readonly projects = new Map<string, SentryCrons>();
  readonly api: SentryApi;
  /** Until when, by category; `''`: all. */
  readonly #limits = new Map<string, number>();
  readonly #seen = new Map<string, number>();

  constructor(keys: readonly string[], token = 'simulated-api-token') {
    this.keys = new Set(keys);
    this.api = new SentryApi(token, this);
  }

  /** The check-ins of a project. */
  crons(project = '1'): SentryCrons {
    const crons = this.projects.get(project) ?? new SentryCrons();
    this.projects.set(project, crons);
    return crons;
  }

  /** From now on nothing of this category is taken: answered with 429 and the header. */
  limit(category: string, until: number): void {
    this.#limits.set(category, until);
  }

  handle(request: VendorRequest): VendorAnswer | undefined {
    const { pathname } = request.url;
    const envelope = /^\/api\/(\d+)\/envelope\/$/.exec(pathname);
    if (envelope !== null) return this.#envelope(request, envelope[1]!);
    if (pathname.startsWith('/api/0/')) return this.api.handle(request);
    return undefined;
  }

  #envelope(request: VendorRequest, project: string): VendorAnswer {
    const { method, at, headers } = request;
    if (method !== 'POST') return this.refuse(at, 405, 'envelope', method);
    const key = /^Sentry (?=.*\bsentry_version=7\b).*\bsentry_key=(\w+)/.exec(String(headers['x-sentry-auth']))?.[1];
    if (key === undefined) return this.refuse(at, 401, 'auth', 'missing authorization information');
    if (!this.keys.has(key)) return this.refuse(at, 403, 'auth', 'bad sentry DSN public key');
    if (headers['content-type'] !== 'application/x-sentry-envelope')
      return this.refuse(at, 415, 'envelope', 'no envelope by its content type');
    try {
      const envelope = readEnvelope(request.bytes, headers['content-encoding']);
      return this.#take(envelope, project, at);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      return this.refuse(at, error.status, 'envelope', error.message);
    }
  }

  #take(envelope: Envelope, project: string, at: number): VendorAnswer {
    const { header, items } = envelope;
    if (Number.isNaN(Date.parse(String(header['sent_at'])))) this.#violate(at, 'envelope', 'no sent_at');
    for (const { header: of } of items) if (of['length'] === undefined) this.#violate(at, 'envelope', 'no length');
    const kinds = new Set(items.map(({ header: { type } }) => type).filter((type) => type in CATEGORIES));
    kinds.delete('attachment');
    if (kinds.size > 1) this.#violate(at, 'envelope', `mixes ${[...kinds].join(', ')}`);
    const limited = items.filter(({ header: { type } }) => this.#limitedFor(type, at) > 0);
    if (limited.length > 0 && limited.length === items.filter(isCounted).length) return this.#tooMany(limited, at);
    const taken = items.filter((item) => !limited.includes(item));
    for (const item of taken) {
      const refused = this.#item(item, envelope, taken, project, at);
      if (refused !== undefined) return refused;
    }
    const answer = json(200, { id: header['event_id'] });
    return limited.length === 0 ? answer : { ...answer, headers: { ...answer.headers, ...this.#limitHeaders(at) } };
  }

  #item(item: EnvelopeItem, envelope: Envelope, taken: readonly EnvelopeItem[], project: string, at: number) {
    const { type } = item.header;
    if (
      item.bytes.length >
      (type === 'check_in'
        ? MAX_CHECK_IN
        : type === 'client_report'
          ? MAX_REPORT
          : MAX_ITEM * (type === 'attachment' ? 100 : 1))
    )
      return this.refuse(at, 413, 'envelope', `${type} too large`);
    if (type === 'event') return this.#event(item, envelope, taken, project, at);
    if (type === 'check_in') return this.#checkIn(item, project, at);
    if (type === 'log') return this.#log(item, taken, project, at);
    if (type === 'client_report') return this.#report(item, at);
    if (type !== 'attachment') this.#violate(at, 'envelope', `an item of type ${type}`);
    else if (!taken.some(({ header }) => header.type === 'event')) this.#violate(at, 'attachment', 'without its event');
    return undefined;
  }

  #event(item: EnvelopeItem, envelope: Envelope, taken: readonly EnvelopeItem[], project: string, at: number) {
    const parsed = eventSchema.safeParse(parseJson(item.bytes, 'event'));
    if (!parsed.success) return this.refuse(at, 400, 'event', issues(parsed.error));
    const { event_id: id } = parsed.data;
    if (!hex32.safeParse(envelope.header['event_id']).success || envelope.header['event_id'] !== id)
      this.#violate(at, 'envelope', 'event_id of the header is not that of the event');
    if (parsed.data.timestamp * 1000 > at + 60_000) this.#violate(at, 'event', 'of the future');
    const before = this.#seen.get(`${project}/${id}`);
    this.#seen.set(`${project}/${id}`, at);
    if (before !== undefined && at - before < DEDUPE_MS) return void this.duplicates.push(id);
    const attachments = taken
      .filter(({ header }) => header.type === 'attachment')
      .map(({ header, bytes }) => ({ filename: String(header['filename']), text: bytes.toString() }));
    return void this.events.push({ at, project, event: parsed.data, attachments });
  }

  #checkIn(item: EnvelopeItem, project: string, at: number): VendorAnswer | undefined {
    const parsed = checkInSchema.safeParse(parseJson(item.bytes, 'check-in'));
    if (!parsed.success) return this.refuse(at, 400, 'check_in', issues(parsed.error));
    const crons = this.crons(project);
    const over = crons.quota(parsed.data, at);
    if (over !== undefined) {
      this.#violate(at, 'rate', `${over.reason} of ${parsed.data.monitor_slug}`);
      this.limit('monitor', at + over.seconds * 1000);
      return this.#tooMany([item], at);
    }
    if (parsed.data.monitor_slug.length > 50) this.#violate(at, 'check_in', 'a slug of more than 50 characters');
    this.checkIns.push({ at, project, checkIn: parsed.data });
    crons.consume(parsed.data, at);
    return undefined;
  }

  #log({ header, bytes }: EnvelopeItem, taken: readonly EnvelopeItem[], project: string, at: number) {
    const { items } = parseJson(bytes, 'log') as { items: unknown[] };
    if (header['content_type'] !== LOG_TYPE || header['item_count'] !== items.length || taken.length > 1)
      return this.refuse(at, 400, 'log', 'not one container of logs');
    for (const log of items) {
      const parsed = logSchema.safeParse(log);
      if (parsed.success) this.logs.push({ project, log: parsed.data });
      else this.#violate(at, 'log', issues(parsed.error));
    }
    return undefined;
  }

  #report({ bytes }: EnvelopeItem, at: number): undefined {
    const report = clientReportSchema.safeParse(parseJson(bytes, 'client report'));
    if (report.success) this.discarded.push(...report.data.discarded_events);
    else this.#violate(at, 'client_report', issues(report.error));
  }

  /** Ms until an item of this type is taken. */
  #limitedFor(type: string, at: number): number {
    const category = CATEGORIES[type];
    if (category === undefined) return 0;
    return Math.max(0, ...['', category].map((name) => (this.#limits.get(name) ?? at) - at));
  }

  #tooMany(items: readonly EnvelopeItem[], at: number): VendorAnswer {
    const wait = Math.max(...items.map(({ header: { type } }) => this.#limitedFor(type, at)));
    const headers = { ...this.#limitHeaders(at), 'retry-after': String(Math.ceil(wait / 1000)) };
    return { ...json(429, { detail: 'rate limited' }), headers };
  }

  #limitHeaders(at: number): Record<string, string> {
    const active = [...this.#limits].filter(([, until]) => until > at);
    const quotas = active.map(([category, until]) => `${Math.ceil((until - at) / 1000)}:${category}:project:test`);
    return { 'x-sentry-rate-limits': quotas.join(', ') };
  }

  refuse(at: number, status: number, kind: SentryViolation['kind'], detail: string): VendorAnswer {
    this.#violate(at, kind, detail);
    return json(status, { detail, causes: [] });
  }

  #violate(at: number, kind: SentryViolation['kind'], detail: string): void {
    this.violations.push({ at, kind, detail });
  }

  state(): object {
    const { events, checkIns, logs, discarded, violations, duplicates } = this;
    const crons = Object.fromEntries(
      [...this.projects].map(([project, { monitors, dropped }]) => [
        project,
        { monitors: [...monitors.values()].map(({ slug, status, config }) => ({ slug, status, config })), dropped },
      ]),
    );
    return { events, checkIns, logs, discarded, violations, duplicates, crons, ...this.api.state() };
  }

  clear(): void {
    const { events, checkIns, logs, discarded, violations, duplicates } = this;
    for (const list of [events, checkIns, logs, discarded, violations, duplicates]) list.length = 0;
    this.projects.clear();
    this.#limits.clear();
    this.#seen.clear();
    this.api.clear();
  }

  html(): string {
    const time = (at: number) => new Date(at).toISOString().slice(11, 23);
    const events = this.events
      .slice(-100)
      .toReversed()
      .map(({ at, event }) => [time(at), event.level, event.message ?? '', (event.fingerprint ?? []).join(' ')]);
    const checkIns = this.checkIns
      .slice(-100)
      .toReversed()
      .map(({ at, checkIn }) => [time(at), checkIn.monitor_slug, checkIn.status]);
    const wrong = this.violations.slice(-20).map(({ at, kind, detail }) => [time(at), kind, detail]);
    return [
      `<h2>Sentry</h2><p>${this.events.length} events, ${this.violations.length} violations</p>`,
      `<h3>Events</h3>${table(['Time', 'Level', 'Message', 'Fingerprint'], events)}`,
      `<h3>Check-ins</h3>${table(['Time', 'Monitor', 'Status'], checkIns)}`,
      wrong.length === 0 ? '' : `<h3>Violations</h3>${table(['Time', 'Kind', 'Detail'], wrong)}`,
    ].join('');
  }
}

const isCounted = ({ header: { type } }: EnvelopeItem): boolean => type in CATEGORIES;

function issues(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.map(String).join('.')} ${message}`).join(', ');
}
