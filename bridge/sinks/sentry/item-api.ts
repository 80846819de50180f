import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Instant } from '../../lib/clock.ts';
import { readJson } from '../../lib/json.ts';
import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpResult } from '../http.ts';
import type { ClaimedIntent, Delivery } from '../sink.ts';
import type { RunStory } from '../story.ts';
import type { Account } from './account.ts';
import { refused } from './account.ts';
import { attachmentsOf, isAwaited } from './attachments.ts';
import { environmentKey } from './check-in-limits.ts';
import { checkInItem } from './check-in.ts';
import { envelopeUrl } from './dsn.ts';
import type { Resolved } from './dsns.ts';
import type { Discarded, Item } from './envelope.ts';
import { CLIENT, clientReport, envelopeBytes } from './envelope.ts';
import type { SentryPayload } from './payload.ts';
import { categoryOf } from './payload.ts';
import { trimCheckIn, trimEvent } from './trim.ts';

/** Megabytes of logs over a slow line. */
const TIMEOUT_MS = 30_000;
/** Below that, compression saves nothing. */
const MIN_GZIP = 1_024;
/** What an event is cut to when Sentry, or a proxy before it, finds the whole too large. */
const SMALL_EVENT = 64 * 1024;
const gzipped = promisify(gzip);

/** An item as it goes into the envelope. */
interface ReadyItem extends Pick<Extract<SentryPayload, { kind: 'event' }>, 'target' | 'item' | 'tails' | 'discarded'> {
  readonly kind: ItemPayload['kind'];
  /** What is to be said about it once it has arrived. */
  readonly note?: string;
}
type Category = ReturnType<typeof categoryOf> | 'log_item';
export type ItemPayload = Exclude<SentryPayload, { kind: 'deploy' }>;
type Intent = Pick<ClaimedIntent, 'story'> & { readonly attempt?: number };

/** How much is sent of an item: a request that is too large is sent again with less. */
type Extent = 'whole' | 'without attachments' | 'least';
const LESS: readonly Extent[] = ['without attachments', 'least'];

/** Sends one item; the result says what becomes of its intent. */
export async function sendItem(
  account: Account,
  planned: ItemPayload,
  intent: Intent,
  signal: AbortSignal,
): Promise<Delivery> {
  const { clock, limits, dsns } = account;
  const payload = readyItem(planned, clock.now());
  if ('outcome' in payload) return payload;
  const awaited = awaitsLogs(payload, intent);
  if (awaited !== undefined) return awaited;
  const to = dsns.resolve(payload.target);
  const limited = limits.wait(to.id, categoryOf(payload), clock.now());
  const limit = `${to.key}/${categoryOf(payload)}`;
  if (limited !== undefined) {
    const key = limited.all ? to.key : limit;
    return { outcome: 'retry', reason: 'rate_limited', afterMs: limited.ms, hold: { key } };
  }
  if (payload.kind === 'check_in')
    return paced(account, to, planned, payload.item) ?? sendTo(account, to, payload, intent, signal);
  const described = await account.describe?.(payload.item);
  return sendTo(account, to, { ...payload, ...described }, intent, signal);
}

/** What of a check-in waits so that Sentry is not sent more in a minute than it takes. */
function paced(
  { pace, clock }: Account,
  to: Resolved,
  planned: ItemPayload,
  item: ReadyItem['item'],
): Delivery | undefined {
  if (planned.kind !== 'check_in') return undefined;
  const wait = pace.wait(to.project, item, clock.now());
  if (wait === undefined) return undefined;
  const { monitor, environment } = planned.checkIn;
  const key = wait.of === 'project' ? `${to.key}/monitor` : environmentKey(planned.target, monitor.slug, environment);
  return { outcome: 'retry', reason: 'paced', afterMs: wait.ms, hold: { key } };
}

/** A log is read within seconds. The pauses grow: after about two minutes the event goes without it. */
const MAX_LOOKS = 7;
const LOOK_MS = 2_000;

/** An event whose log tail is being read waits for it. */
function awaitsLogs({ tails }: ReadyItem, { story, attempt = 1 }: Intent): Delivery | undefined {
  if (tails === undefined || story === undefined || attempt > MAX_LOOKS || !isAwaited(tails, story)) return undefined;
  return { outcome: 'retry', reason: 'awaiting_logs', afterMs: LOOK_MS };
}

/** What of a check-in is only known when it is sent, and whether it still is. */
function readyItem(planned: ItemPayload, now: Instant): ReadyItem | Delivery {
  if (planned.kind === 'event') return planned;
  const made = checkInItem(planned.checkIn, now);
  return 'outcome' in made ? made : { kind: 'check_in', target: planned.target, item: made.item };
}

async function sendTo(
  account: Account,
  to: Resolved,
  payload: ReadyItem,
  { story }: Intent,
  signal: AbortSignal,
): Promise<Delivery> {
  if (payload.kind === 'check_in') account.pace.sent(to.project, payload.item, account.clock.now());
  const attempt = async (extent: Extent) => {
    const made = itemsOf(account, to, payload, story, extent);
    return { notes: made.notes, result: await post(account, to, made.items, eventIdOf(payload), signal) };
  };
  let { notes, result } = await attempt('whole');
  for (const extent of payload.kind === 'event' ? LESS : []) {
    if (statusOf(result) !== 413) break;
    ({ notes, result } = await attempt(extent));
  }
  if ([401, 403].includes(statusOf(result)) && account.dsns.renew(to.key))
    return sendTo(account, account.dsns.resolve(payload.target), payload, { ...(story && { story }) }, signal);
  const delivery = deliveryOf(
    account,
    { ...to, limit: `${to.key}/${categoryOf(payload)}` },
    categoryOf(payload),
    result,
  );
  const said = [to.note, payload.note, ...notes].filter((note) => note !== undefined);
  return delivery.outcome !== 'delivered' || said.length === 0 ? delivery : { ...delivery, detail: said.join('; ') };
}

/** The items of an envelope, and what was left out of it. */
function itemsOf(
  { limits, clock }: Account,
  { id }: Resolved,
  payload: ReadyItem,
  story: RunStory | undefined,
  extent: Extent,
): { items: Item[]; notes: string[] } {
  if (payload.kind === 'check_in')
    return { items: [{ header: { type: 'check_in' }, payload: trimCheckIn(payload.item) }], notes: [] };
  const now = clock.now();
  const { event, left } = trimEvent(payload.item, extent === 'least' ? SMALL_EVENT : undefined);
  const tails = payload.tails === undefined || story === undefined ? [] : attachmentsOf(payload.tails, story);
  const limited = limits.wait(id, 'attachment', now) !== undefined;
  const attached = limited || extent !== 'whole' ? [] : tails;
  const discarded = discardedOf(payload, attached.length < tails.length ? tails : [], limited);
  const notes = [
    ...(left === undefined ? [] : [left]),
    ...(attached.length < tails.length
      ? [`without log tails: ${limited ? 'Sentry takes none now' : 'too large'}`]
      : []),
  ];
  const report = discarded.length === 0 ? [] : [clientReport(discarded, now)];
  return { items: [{ header: { type: 'event' }, payload: event }, ...attached, ...report], notes };
}

function discardedOf(payload: ReadyItem, attachments: readonly Item[], limited: boolean): Discarded[] {
  const events = payload.kind === 'event' ? (payload.discarded ?? 0) : 0;
  const bytes = attachments.reduce((sum, { payload: text }) => sum + (text as Uint8Array).length, 0);
  return [
    ...(events > 0 ? [{ reason: 'queue_overflow', category: 'error', quantity: events } as const] : []),
    ...(bytes > 0
      ? [{ reason: limited ? 'ratelimit_backoff' : 'send_error', category: 'attachment', quantity: bytes } as const]
      : []),
  ];
}

/** Posts an envelope, and takes in what the answer says of rate limits. */
export async function post(
  { http, clock, limits }: Account,
  { dsn, id }: Resolved,
  items: readonly Item[],
  eventId: string | undefined,
  signal: AbortSignal,
): Promise<HttpResult> {
  const plain = envelopeBytes(items, clock.now(), eventId);
  const isLarge = plain.length >= MIN_GZIP;
  const body = isLarge ? await gzipped(plain) : plain;
  const result = await http.request({
    method: 'POST',
    url: envelopeUrl(dsn),
    headers: {
      'content-type': 'application/x-sentry-envelope',
      'user-agent': CLIENT,
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=${CLIENT}, sentry_key=${dsn.publicKey}`,
      ...(isLarge && { 'content-encoding': 'gzip' }),
    },
    body,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (result.kind === 'answer') limits.update(id, result, clock.now());
  return result;
}

function eventIdOf({ kind, item }: ReadyItem): string | undefined {
  const id = item['event_id'];
  return kind === 'event' && typeof id === 'string' ? id : undefined;
}

/** 0 without an answer. */
const statusOf = (result: HttpResult): number => (result.kind === 'answer' ? result.status : 0);

/** What an answer means. `limit`: the key of what shares the category. */
export function deliveryOf(
  account: Account,
  to: Resolved & { readonly limit: string },
  category: Category,
  result: HttpResult,
): Delivery {
  const now = account.clock.now();
  const header = result.kind === 'answer' ? result.headers['x-sentry-rate-limits'] : undefined;
  if (statusOf(result) === 429 && header !== undefined) {
    const wait = account.limits.wait(to.id, category, now);
    const key = wait?.all === true ? to.key : to.limit;
    return { outcome: 'retry', reason: 'rate_limited', afterMs: wait?.ms ?? 60_000, hold: { key } };
  }
  const options = { now, limitKey: to.key, addressKey: to.key };
  const delivery = deliveryFor(result, { ...options, refused: (answer) => itemRefused(account, to, answer) });
  if (delivery.outcome !== 'delivered' || result.kind !== 'answer' || isAnswer(result)) return delivery;
  return { outcome: 'retry', reason: 'bad_answer', detail: 'HTTP 200 of something that is not Sentry' };
}

/** Sentry answers with an object, whatever it does with an item; a page that wants a login does not. */
function isAnswer({ body, complete }: HttpAnswer): boolean {
  if (!complete) return true;
  const answer = readJson(body);
  return answer === undefined ? body.trim() === '' : typeof answer === 'object' && answer !== null;
}

function itemRefused(account: Account, { key, dsn }: Resolved, answer: HttpAnswer): Delivery {
  const delivery = refused(account, answer, key, dsn);
  return answer.status === 413 ? { ...delivery, reason: 'too_large' } : delivery;
}

/** Asks whether the DSN is right: statistics of nothing are the least that Sentry takes. */
export async function checkDsn(account: Account, signal: AbortSignal): Promise<Delivery> {
  const to = account.dsns.resolve({});
  const result = await post(account, to, [clientReport([], account.clock.now())], undefined, signal);
  return deliveryOf(account, { ...to, limit: to.key }, 'error', result);
}
