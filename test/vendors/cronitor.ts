import { Buckets, heartbeatSchema, monitorSchema, pingSchema } from './cronitor-rules.ts';
import type { Monitor, PingQuery } from './cronitor-rules.ts';
import type { LogRefusal } from './cronitor-logs.ts';
import { CronitorLogs } from './cronitor-logs.ts';
import type { Vendor, VendorAnswer, VendorRequest } from './vendor.ts';
import { json, table } from './vendor.ts';

export interface Ping {
  readonly at: number;
  readonly monitor: string;
  readonly query: PingQuery;
}

export interface Put {
  readonly at: number;
  readonly status: number;
  readonly keys: readonly string[];
}

/** Something that the real vendor would refuse, or that a careful client would not do. */
export interface Violation {
  readonly at: number;
  readonly kind: 'auth' | 'headers' | 'monitor' | 'ping' | 'rate' | 'path' | 'logs';
  readonly detail: string;
}

/** Cronitor's monitor and telemetry APIs, as strict as their documentation. Lists are in order of arrival. */
export class Cronitor implements Vendor {
  /** Keys that may do everything. */
  readonly keys: Set<string>;
  /** Keys that may only send telemetry. */
  readonly telemetryKeys = new Set<string>();
  readonly monitors = new Map<string, Monitor>();
  readonly pings: Ping[] = [];
  /** Of monitors of that type. */
  readonly heartbeats: { readonly at: number; readonly monitor: string }[] = [];
  readonly puts: Put[] = [];
  /** Keys of monitors that were deleted. */
  readonly deletes: string[] = [];
  readonly logs = new CronitorLogs();
  readonly violations: Violation[] = [];
  /** Monitors that a ping would have made: it came before the monitor was ever accepted. */
  readonly autoCreated: string[] = [];
  private perMonitor = new Buckets(5, 10);
  private perAddress = new Buckets(50, 250);

  private readonly addressLimit: boolean;

  constructor(key: string, addressLimit = true) {
    this.addressLimit = addressLimit;
    this.keys = new Set([key]);
  }

  handle(request: VendorRequest): VendorAnswer | undefined {
    const { pathname } = request.url;
    const monitor = /^\/api\/monitors(?:\/([^/]+))?$/.exec(pathname);
    if (monitor !== null) return this.monitorApi(request, monitor[1] && decodeURIComponent(monitor[1]));
    const ping = /^\/(?:ping|p)\/([^/]+)\/([^/]+)$/.exec(pathname);
    if (ping !== null) return this.ping(request, decodeURIComponent(ping[1]!), decodeURIComponent(ping[2]!));
    if (pathname === '/api/logs/presign') return this.presign(request);
    if (CronitorLogs.isStorage(pathname)) return this.logAnswer(request, this.logs.put(request));
    if (!/^\/(api|ping|p)(\/|$)/.test(pathname)) return undefined;
    return this.refuse(request, 404, 'path', 'no such path');
  }

  private logAnswer(request: VendorRequest, answer: VendorAnswer | LogRefusal): VendorAnswer {
    return 'detail' in answer ? this.refuse(request, answer.status, 'logs', answer.detail) : answer;
  }

  private monitorApi(request: VendorRequest, key: string | undefined): VendorAnswer {
    const { method } = request;
    const refused = this.refuseAccess(request);
    if (refused !== undefined) return refused;
    if (key !== undefined && method === 'DELETE') return this.deleteMonitor(request, key);
    if (key === undefined && method === 'GET') return json(200, { monitors: [...this.monitors.values()] });
    if (key === undefined && method === 'PUT') return this.putMonitors(request);
    return this.refuse(request, 405, 'path', `${method} monitors`);
  }

  private presign(request: VendorRequest): VendorAnswer {
    return (
      this.refuseAccess(request) ??
      this.refuseContentType(request) ??
      this.logAnswer(request, this.logs.presign(request))
    );
  }

  private refuseContentType(request: VendorRequest): VendorAnswer | undefined {
    if (/^application\/json\b/.test(request.headers['content-type'] ?? '')) return undefined;
    return this.refuse(request, 400, 'headers', 'Content-Type is not application/json');
  }

  /** What every request of the management API must have. */
  private refuseAccess(request: VendorRequest): VendorAnswer | undefined {
    const { headers } = request;
    const user = Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    if (this.telemetryKeys.has(user.slice(0, -1))) return this.refuse(request, 403, 'auth', 'a telemetry key');
    if (!user.endsWith(':') || !this.keys.has(user.slice(0, -1)))
      return this.refuse(request, 401, 'auth', 'bad API key');
    if (headers['cronitor-version'] !== '2020-10-27') {
      return this.refuse(request, 400, 'headers', 'Cronitor-Version is not 2020-10-27');
    }
    return undefined;
  }

  private deleteMonitor(request: VendorRequest, key: string): VendorAnswer {
    if (request.body !== '') return this.refuse(request, 400, 'monitor', 'DELETE of one monitor has no body');
    if (!this.monitors.delete(key)) return json(404, { errors: ['no such monitor'] });
    this.deletes.push(key);
    return { status: 204, body: '' };
  }

  private putMonitors(request: VendorRequest): VendorAnswer {
    const { body, at } = request;
    const refused = this.refuseContentType(request);
    if (refused !== undefined) return refused;
    const { monitors, errors } = parseMonitors(body);
    const keys = monitors.map(({ key }) => key);
    this.puts.push({ at, status: errors.length === 0 ? 200 : 400, keys });
    if (errors.length > 0) return this.refuse(request, 400, 'monitor', errors.join('; '));
    for (const monitor of monitors) this.monitors.set(monitor.key, monitor);
    return json(200, monitors);
  }

  private ping(request: VendorRequest, key: string, monitor: string): VendorAnswer {
    const { method, url, at, remoteAddress } = request;
    if (!['GET', 'POST', 'HEAD'].includes(method)) return this.refuse(request, 405, 'path', `${method} ping`);
    if (!this.keys.has(key) && !this.telemetryKeys.has(key)) return this.refuse(request, 401, 'auth', 'bad API key');
    const inRate = this.perMonitor.take(monitor, at) && (!this.addressLimit || this.perAddress.take(remoteAddress, at));
    if (!inRate) {
      const refused = this.refuse(request, 429, 'rate', `too many pings of ${monitor}`);
      return { ...refused, headers: { ...refused.headers, 'retry-after': '1' } };
    }
    const names = [...url.searchParams.keys()];
    if (new Set(names).size < names.length) return this.refuse(request, 400, 'ping', 'a parameter twice');
    const parameters = Object.fromEntries(url.searchParams);
    if (this.monitors.get(monitor)?.type === 'heartbeat') {
      const beat = heartbeatSchema.strict().safeParse(parameters);
      if (!beat.success) return this.refuse(request, 400, 'ping', issues(beat.error.issues));
      this.heartbeats.push({ at, monitor });
      return { status: 200, body: 'OK' };
    }
    const query = pingSchema.safeParse(parameters);
    if (!query.success) return this.refuse(request, 400, 'ping', issues(query.error.issues));
    if (!this.monitors.has(monitor)) this.autoCreated.push(monitor);
    this.pings.push({ at, monitor, query: query.data });
    return { status: 200, body: 'OK' };
  }

  private refuse({ at }: VendorRequest, status: number, kind: Violation['kind'], detail: string): VendorAnswer {
    this.violations.push({ at, kind, detail });
    return json(status, { errors: [detail] });
  }

  state(): object {
    const { pings, heartbeats, puts, deletes, violations, autoCreated } = this;
    const logs = this.logs.uploads;
    return { monitors: [...this.monitors.values()], pings, heartbeats, puts, deletes, logs, violations, autoCreated };
  }

  clear(): void {
    this.monitors.clear();
    this.logs.clear();
    for (const list of [this.pings, this.heartbeats, this.puts, this.deletes, this.violations, this.autoCreated])
      list.length = 0;
    this.perMonitor = new Buckets(5, 10);
    this.perAddress = new Buckets(50, 250);
  }

  html(): string {
    const time = (at: number) => new Date(at).toISOString().slice(11, 23);
    const nameOf = (key: string) => this.monitors.get(key)?.name ?? key;
    const last = new Map(this.pings.map((ping) => [ping.monitor, ping.query.state]));
    const monitors = [...this.monitors.values()].map((monitor) => [
      nameOf(monitor.key),
      monitor.schedule + ('timezone' in monitor ? ` ${monitor.timezone}` : ''),
      monitor.paused === true ? 'paused' : (last.get(monitor.key) ?? ''),
      monitor.key,
    ]);
    const pings = this.pings.slice(-100).toReversed();
    const rows = pings.map(({ at, monitor, query }) => {
      const { state, series = '', host = '', message = '' } = query;
      return [time(at), nameOf(monitor), state, series, host, message];
    });
    const wrong = this.violations.slice(-20).map(({ at, kind, detail }) => [time(at), kind, detail]);
    return [
      `<h2>Cronitor</h2><p>${this.pings.length} pings, ${this.violations.length} violations, `,
      `${this.autoCreated.length} auto-created</p>`,
      `<h3>Monitors</h3>${table(['Monitor', 'Schedule', 'State', 'Key'], monitors)}`,
      `<h3>Pings</h3>${table(['Time', 'Monitor', 'State', 'Series', 'Host', 'Message'], rows)}`,
      wrong.length === 0 ? '' : `<h3>Violations</h3>${table(['Time', 'Kind', 'Detail'], wrong)}`,
    ].join('');
  }
}

/** The monitors of a body (a bare array), and everything that is wrong with it. */
function parseMonitors(body: string): { monitors: Monitor[]; errors: string[] } {
  let list: unknown;
  try {
    list = JSON.parse(body);
  } catch {
    return { monitors: [], errors: ['the body is not JSON'] };
  }
  if (!Array.isArray(list)) return { monitors: [], errors: ['the body is not an array'] };
  const monitors: Monitor[] = [];
  const errors: string[] = [];
  for (const [index, item] of list.entries()) {
    const monitor = monitorSchema.safeParse(item);
    if (!monitor.success) errors.push(`monitor ${index}: ${issues(monitor.error.issues)}`);
    else if (monitors.some(({ key }) => key === monitor.data.key)) errors.push(`monitor ${index}: key twice`);
    else monitors.push(monitor.data);
  }
  return { monitors, errors };
}

function issues(list: readonly { path: PropertyKey[]; message: string }[]): string {
  return list.map(({ path, message }) => `${path.map(String).join('.')} ${message}`).join(', ');
}
