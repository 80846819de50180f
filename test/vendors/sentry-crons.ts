import type { CheckIn, MonitorConfig } from './sentry-rules.ts';
import { monitorConfigSchema } from './sentry-rules.ts';

export interface KeptCheckIn {
  readonly id: string;
  readonly environment: string;
  readonly startedAt: number;
  status: 'in_progress' | 'ok' | 'error' | 'timeout';
  duration: number | undefined;
  timeoutAt: number;
  /** How many arrived for it. */
  updates: number;
}

export interface KeptMonitor {
  readonly slug: string;
  config: MonitorConfig;
  status: 'active' | 'disabled';
  readonly environments: Set<string>;
  readonly checkIns: Map<string, KeptCheckIn>;
}

/** What is dropped after HTTP 200, as the processing-errors endpoints show it. */
export interface Dropped {
  readonly at: number;
  readonly slug: string;
  readonly type: string;
  readonly checkInId: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const PER_MONITOR = 6;
const PROJECT_BASE = 50;
const COUNT_CACHED_MS = 600_000;
const MAX_SLUG = 50;
const DEFAULT_ENVIRONMENT = 'production';
const DEFAULT_RUNTIME = 30;

/** The check-ins of one project: Relay's quotas, then the consumer, row by row of what is known of both. */
export class SentryCrons {
  readonly monitors = new Map<string, KeptMonitor>();
  readonly dropped: Dropped[] = [];
  /** Every check-in that was processed, in order of arrival. */
  readonly processed: { readonly at: number; readonly checkIn: CheckIn }[] = [];
  /** Check-ins in this minute, of the project and by slug and environment. */
  readonly #minute = new Map<string, { minute: number; count: number }>();
  #counted = { at: -Infinity, environments: 0 };

  /** Seconds to wait, where Relay's quota is reached; undefined: it is taken. */
  quota(checkIn: CheckIn, at: number): { readonly seconds: number; readonly reason: string } | undefined {
    const seconds = Math.ceil((MINUTE_MS - (at % MINUTE_MS)) / 1000);
    if (this.#take(`env/${slugOf(checkIn)}/${environmentOf(checkIn)}`, at) > PER_MONITOR)
      return { seconds, reason: 'monitor_env_rate_limit' };
    if (this.#take('project', at) > PROJECT_BASE + PER_MONITOR * this.#environments(at))
      return { seconds, reason: 'monitor_rate_limit' };
    return undefined;
  }

  /** What the consumer makes of a check-in that Relay took. */
  consume(checkIn: CheckIn, at: number): void {
    const slug = slugOf(checkIn);
    const environment = environmentOf(checkIn);
    const drop = (type: string) => void this.dropped.push({ at, slug, type, checkInId: checkIn.check_in_id });
    const known = this.monitors.get(slug);
    const config = monitorConfigSchema.safeParse(checkIn.monitor_config);
    if (known === undefined && !config.success)
      return drop(checkIn.monitor_config === undefined ? 'MONITOR_NOT_FOUND' : 'MONITOR_INVALID_CONFIG');
    if (known?.status === 'disabled') return drop('MONITOR_DISABLED');
    const monitor = known ?? this.make(slug, config.data!);
    // Only the keys that are sent change; an invalid configuration of a known monitor is ignored.
    if (config.success) monitor.config = { ...monitor.config, ...config.data };
    const id = checkIn.check_in_id.replaceAll('-', '');
    const kept = monitor.checkIns.get(id);
    if (kept !== undefined && kept.environment !== environment) return drop('CHECKIN_ENVIRONMENT_MISMATCH');
    if (!monitor.environments.has(environment)) {
      monitor.environments.add(environment);
      this.#counted = { at: -Infinity, environments: 0 };
    }
    this.processed.push({ at, checkIn });
    if (kept === undefined) monitor.checkIns.set(id, opened(id, environment, checkIn, monitor.config, at));
    else update(kept, checkIn, monitor.config, at);
    return undefined;
  }

  make(slug: string, config: MonitorConfig, status: KeptMonitor['status'] = 'active'): KeptMonitor {
    const monitor: KeptMonitor = { slug, config, status, environments: new Set(), checkIns: new Map() };
    this.monitors.set(slug, monitor);
    return monitor;
  }

  /** Open check-ins whose time is over are timed out, and stay so. */
  tick(now: number): void {
    for (const { checkIns } of this.monitors.values())
      for (const checkIn of checkIns.values())
        if (checkIn.status === 'in_progress' && checkIn.timeoutAt <= now) checkIn.status = 'timeout';
  }

  #take(key: string, at: number): number {
    const minute = Math.floor(at / MINUTE_MS);
    const last = this.#minute.get(key);
    const count = last?.minute === minute ? last.count + 1 : 1;
    this.#minute.set(key, { minute, count });
    return count;
  }

  /** How many environments of monitors there are, as Relay last heard. */
  #environments(at: number): number {
    if (at - this.#counted.at >= COUNT_CACHED_MS) {
      const environments = [...this.monitors.values()].reduce((sum, { environments: some }) => sum + some.size, 0);
      this.#counted = { at, environments };
    }
    return this.#counted.environments;
  }
}

function opened(
  id: string,
  environment: string,
  { status, duration }: CheckIn,
  config: MonitorConfig,
  at: number,
): KeptCheckIn {
  const startedAt = at - (duration ?? 0) * 1000;
  return {
    id,
    environment,
    startedAt,
    status,
    duration: duration ?? undefined,
    timeoutAt: endOf(config, startedAt, at),
    updates: 1,
  };
}

/** Another `in_progress` re-arms the timeout; what has ended, or has timed out, keeps its status. */
function update(kept: KeptCheckIn, { status, duration }: CheckIn, config: MonitorConfig, at: number): void {
  kept.updates++;
  if (kept.status === 'in_progress' && kept.timeoutAt <= at) kept.status = 'timeout';
  if (status === 'in_progress') {
    if (kept.status === 'in_progress') kept.timeoutAt = endOf(config, kept.startedAt, at);
    return;
  }
  kept.duration = duration ?? (at - kept.startedAt) / 1000;
  if (kept.status === 'in_progress') kept.status = status;
}

function endOf(config: MonitorConfig, startedAt: number, at: number): number {
  const runtime = (config.max_runtime ?? DEFAULT_RUNTIME) * MINUTE_MS;
  return Math.min(at + runtime, startedAt + 28 * DAY_MINUTES * MINUTE_MS);
}

const slugOf = ({ monitor_slug: slug }: CheckIn): string => slug.slice(0, MAX_SLUG);
const environmentOf = ({ environment }: CheckIn): string => environment ?? DEFAULT_ENVIRONMENT;
