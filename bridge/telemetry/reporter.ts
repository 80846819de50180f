import type { AuditResult } from '../cluster/auditor.ts';
import type { Restarted } from '../cluster/collector-restart.ts';
import { restartText } from '../cluster/collector-restart.ts';
import type { OwnWatchState } from '../cluster/own-watch.ts';
import type { EventResult } from '../cluster/write/post-event.ts';
import type { LogAnswer } from '../cluster/read-log.ts';
import type { WarningsResult } from '../cluster/warnings.ts';
import type { CountedFailure } from '../turn/guarded-planner.ts';
import type { Committed, Ticked } from '../ingest/thread/protocol.ts';
import { errorText } from '../lib/errors.ts';
import { NEEDLESS, REASONS } from '../lib/reasons.ts';
import type { Delivery } from '../sinks/sink.ts';
import { exhaustedText, recoveryText } from '../store/notes.ts';
import type { FoundProblem } from '../store/problems.ts';
import { PLANNER_ERROR } from '../store/problems.ts';
import type { Recovery, StoreState } from '../store/store.ts';
import type { UnjudgedChange } from '../store/unjudged.ts';
import { Incidents } from './incidents.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { OVERFLOW_TEXT } from './run-metrics.ts';

/** Most lines about annotations at a time; the rest is counted. */
const MAX_LOGGED = 20;
const SILENT_SECONDS = 30;
/** Of the zone data that ICU brings. */
const TZ_RELEASE = process.versions['tz'];
const NO_EVENTS = 'no permission to write Events; everything else works';
const GRANT_EVENTS = 'grant the account the verb create on events.events.k8s.io, or set cluster.events: false';

/** Reports what happens in the bridge to metrics (each time) and to the log (once, what an operator wants to know). */
export class Reporter {
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #incidents: Incidents;
  #storeFails = false;
  #eventsForbidden = false;

  constructor(metrics: Metrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#incidents = new Incidents(logger);
  }

  committed({ commitMs, records, quarantined, transitions, ended, quiet }: Committed): void {
    this.#metrics.commit(commitMs);
    for (const { kind, result, count } of records) this.#metrics.record(kind, result, count);
    this.decided(transitions, ended);
    for (const { kind, unchanged, known } of quiet) {
      this.#metrics.deduplicated(kind, 'unchanged', unchanged);
      this.#metrics.deduplicated(kind, 'known', known);
    }
    for (const reason of quarantined) this.quarantined(reason, 1);
  }

  quarantined(reason: Committed['quarantined'][number], count: number): void {
    if (count === 0) return;
    this.#metrics.quarantine(reason, count);
    const fields = { reason, what: REASONS[reason] };
    this.#incidents.seen(`quarantine/${reason}`, fields, 'a record was put into quarantine; /drops shows it');
  }

  ticked({ state, transitions, ended, problems, plannerFailures, unreadable, dropped, unjudged }: Ticked): void {
    this.storeKept(state);
    this.decided(transitions, ended);
    this.problemsFound(problems);
    this.plannersFailed(plannerFailures);
    this.quarantined('unreadable_row', unreadable);
    for (const { destination, reason } of dropped) this.#metrics.drop(destination, reason);
    this.unjudged(unjudged);
  }

  decided(transitions: Committed['transitions'], ended: Committed['ended']): void {
    for (const kind of transitions) this.#metrics.transition(kind);
    const shared = ended.filter((run) => !this.#metrics.ended(run));
    if (shared.length > 0) this.#incidents.seen('run metrics', {}, OVERFLOW_TEXT);
  }

  /** True until `storeWorks`: only a write shows whether the store can commit again, so the caller tries one. */
  get storeFails(): boolean {
    return this.#storeFails;
  }

  storeFailed(error: unknown): void {
    this.#storeFails = true;
    const fields = { error: errorText(error) };
    this.#incidents.seen(
      'store',
      fields,
      'the store cannot commit: exports are refused, and the Collector keeps them',
      'error',
    );
  }

  /** Reported long before /livez gives the thread up: nothing else says that it hangs. */
  storeSilent(seconds: number): void {
    if (seconds >= SILENT_SECONDS) {
      const message = 'the thread of the store does not answer; /livez fails after two minutes';
      this.#incidents.seen('silence', { seconds }, message, 'error');
    } else if (seconds === 0) this.#incidents.over('silence', {}, 'the thread of the store answers again');
  }

  storeWorks(): void {
    this.#storeFails = false;
    this.#incidents.over('store', {}, 'the store commits again');
  }

  /** An error: it is rare, and a person may have to look after the old file. */
  storeRecovered(recovery: Recovery): void {
    this.#logger.error({ ...recovery }, recoveryText(recovery));
  }

  storeKept(state: StoreState): void {
    if (state.exhausted) this.#incidents.seen('store size', { ...state }, exhaustedText(state));
    else this.#incidents.over('store size', {}, 'the store fits into store.retention.maxBytes again');
    if (state.sideFiles === undefined)
      this.#incidents.over('side files', {}, 'the files beside the store are written again');
    else this.#incidents.seen('side files', { error: state.sideFiles }, 'the files beside the store cannot be written');
  }

  audited(kind: string, result: AuditResult): void {
    this.#metrics.list(kind, result.result);
    const fields = { kind, ...result };
    if (result.result === 'failed') {
      this.#incidents.seen(`list/${kind}`, fields, 'LIST failed; it is tried again');
      return;
    }
    if (result.result === 'unaudited') {
      this.#incidents.seen(`list/${kind}`, fields, 'no permission to LIST: this kind is not audited', 'error');
      return;
    }
    this.#incidents.over(`list/${kind}`, { kind }, 'LIST works again');
    const { first, missed, stale, gone, outdated, held, epoch } = result;
    for (const [difference, count] of Object.entries({ missed, stale, gone, outdated }))
      this.#metrics.difference(kind, difference, count);
    if (held > 0)
      this.#logger.warn(
        { kind, held },
        'many objects are missing from a LIST at once; waiting for a third LIST before they count as gone',
      );
    if (epoch) this.#logger.warn({ kind }, 'resourceVersions restarted (etcd was restored); everything was read again');
    const isNews = first || missed + stale + gone > 0;
    this.#logger[isNews ? 'info' : 'debug'](fields, 'LIST complete');
  }

  warningsListed(result: WarningsResult): void {
    this.#metrics.list('Event', result.result);
    if (result.result === 'failed') {
      this.#incidents.seen('list/Event', { ...result }, 'Events of type Warning cannot be listed');
      return;
    }
    this.#incidents.over('list/Event', {}, 'Events of type Warning can be listed again');
    this.#logger.debug({ objects: result.objects }, 'Events of type Warning listed');
  }

  /** An error of the bridge itself: the page and `explain` say what it concerned. */
  plannersFailed(failures: readonly CountedFailure[]): void {
    for (const { destination, call, error, count } of failures) {
      this.#metrics.plannerFailure(destination, call, count);
      const fields = { destination, call, error, what: REASONS.planner_error };
      const message =
        'an error of the bridge cost a decision, everything else went on; /drops and /problems show what it concerns';
      this.#incidents.seen(`planner/${destination}/${call}`, fields, message, 'error');
    }
  }

  /** Each once, when it is found. */
  problemsFound(found: readonly FoundProblem[]): void {
    const problems = found.filter(({ annotation }) => annotation !== PLANNER_ERROR);
    for (const { uid: _, kind, namespace, name, ...problem } of problems.slice(0, MAX_LOGGED)) {
      const fields = { object: `${kind} ${namespace}/${name}`, ...problem };
      this.#logger.warn(fields, 'an annotation cannot be read; the value that is used instead counts');
    }
    const more = problems.length - MAX_LOGGED;
    if (more > 0) this.#logger.warn({ more }, 'more annotations cannot be read; /problems shows them');
  }

  /** One line when it begins in a time zone and one when it is over: mostly it is the same for all its CronJobs. */
  unjudged(changes: readonly UnjudgedChange[]): void {
    for (const { namespace, name, reason, zone, detail, over, others } of changes) {
      const fields = { reason, what: REASONS[reason], zone, cronJob: `${namespace}/${name}`, detail };
      const level = others > 0 ? 'debug' : over ? 'info' : 'warn';
      const message = over
        ? 'missed runs of a CronJob are judged again, or it is not watched any more'
        : 'missed runs of a CronJob are not judged';
      this.#logger[level](over ? { reason, zone, cronJob: fields.cronJob } : { ...fields, tz: TZ_RELEASE }, message);
    }
  }

  /** An Event on an object with annotations that cannot be read. A missing permission is reported once. */
  eventWritten(result: EventResult): void {
    if (result.result === 'forbidden') {
      if (!this.#eventsForbidden) this.#logger.warn({ error: result.error, next: GRANT_EVENTS }, NO_EVENTS);
      this.#eventsForbidden = true;
    } else if (result.result === 'written') {
      if (this.#eventsForbidden) this.#logger.info('Events can be written again');
      this.#eventsForbidden = false;
      this.#incidents.over('events', {}, 'Events are written again');
    } else this.#incidents.seen('events', { ...result }, 'an Event was not written; it is tried again');
  }

  /** The loop that writes Events failed; it retries by itself. */
  eventsFailed(error: unknown): void {
    this.#incidents.seen('events', { error: errorText(error) }, 'writing Events failed; retrying');
  }

  logRead({ namespace }: { readonly namespace: string }, answer: LogAnswer): void {
    const { outcome } = answer;
    this.#metrics.log(outcome);
    if (outcome === 'failed') {
      const fields = { namespace, error: answer.detail };
      this.#incidents.seen('logs', fields, 'the log of a container cannot be read; it is tried again');
    } else if (outcome === 'log_forbidden') {
      const fields = { namespace, error: answer.detail };
      this.#incidents.seen(
        `logs/${namespace}`,
        fields,
        'no permission for pods/log: logs are not read, everything else works',
        'error',
      );
    } else {
      this.#incidents.over('logs', {}, 'logs can be read again');
      this.#incidents.over(`logs/${namespace}`, { namespace }, 'the permission to read logs is there again');
    }
  }

  /** The log reader failed; it retries by itself. */
  logsFailed(error: unknown): void {
    this.#incidents.seen('log reader', { error: errorText(error) }, 'the log reader failed; retrying', 'error');
  }

  watch(kind: string, isDead: boolean): void {
    const message = 'the watch is dead: the stream does not bring what the audit finds';
    if (isDead) this.#incidents.seen(`watch/${kind}`, { kind }, message, 'error');
    else this.#incidents.over(`watch/${kind}`, { kind }, 'the watch delivers again, or a Collector started it again');
  }

  /** The bridge's own watch. That it fails once is an API server's restart; it is tried again by itself. */
  ownWatch(kind: string, state: OwnWatchState): void {
    if (state.state === 'stands')
      this.#incidents.over(`own watch/${kind}`, { kind }, 'the bridge watches this kind again');
    if (state.state !== 'failed' || state.times === 1) return;
    const { status, error } = state;
    const message =
      'the bridge cannot watch this kind either: it is read every 30 s, or less often when there are many';
    const next = status === 403 ? { next: 'grant the account of the bridge the verb watch' } : {};
    this.#incidents.seen(`own watch/${kind}`, { kind, status, error, ...next }, message);
  }

  /** Loudly: the bridge has deleted a pod that is not its own, or was to. */
  collectorRestarted({ pod, outcome, error }: Restarted): void {
    this.#metrics.collectorRestart(outcome);
    const message = restartText(pod, outcome);
    this.#logger.error({ pod, outcome, ...(error !== undefined && { error }) }, message);
  }

  collectorExcused(why: string): void {
    this.#incidents.seen('collector restart', { why }, 'all watches are dead, but the Collector is not restarted');
  }

  /** The audit failed; it retries by itself. */
  auditFailed(error: unknown): void {
    this.#incidents.seen('audit', { error: errorText(error) }, 'the audit failed; retrying', 'error');
  }

  settled(destination: string, delivery: Delivery, what: 'intent' | 'desired' | 'journal'): void {
    const { outcome } = delivery;
    const reason = outcome === 'delivered' ? 'delivered' : delivery.reason;
    this.#metrics.delivery(destination, outcome, reason);
    if (reason === 'dry_run' || reason === 'shutting_down' || NEEDLESS.has(reason)) return;
    const channel = what === 'intent' ? 'telemetry' : what;
    if (outcome === 'delivered') {
      this.#incidents.over(`${destination}/${channel}`, { destination, channel }, 'deliveries work again');
      return;
    }
    const detail = delivery.detail === undefined ? {} : { detail: delivery.detail };
    const fields = { destination, channel, reason, what: REASONS[reason], ...detail };
    if (outcome === 'retry') {
      this.#incidents.seen(`${destination}/${channel}`, fields, 'a delivery failed; it is tried again');
      return;
    }
    const message = {
      intent: 'a delivery was given up; /drops shows it',
      desired: 'a desired row was refused; /desired shows it',
      journal: 'a part of the journal was refused; what cannot be sent in smaller parts is on /drops',
    }[what];
    this.#incidents.seen(`${destination}/${channel}/${reason}`, fields, message);
  }

  /** A warning: times in the log and on the page jump, and a wrong clock causes other trouble. */
  clockSet(ms: number): void {
    const fields = { seconds: Math.round(ms / 1000) };
    this.#logger.warn(fields, 'the clock was set, or the machine slept; what was planned moves with it');
  }

  /** A part of the outbox failed; it retries by itself. */
  outboxFailed(error: unknown): void {
    this.#incidents.seen('outbox', { error: errorText(error) }, 'the outbox failed; retrying', 'error');
  }
}
