import type { ClaimedIntent, Delivery, SentIntent } from '../sink.ts';
import type { Account } from './account.ts';
import { sendItem } from './item-api.ts';
import type { SentryPayload } from './payload.ts';
import { payloadSchema } from './payload.ts';
import { ProcessingErrors } from './processing-errors.ts';

type Payload = Extract<SentryPayload, { kind: 'check_in' }>;
export type SendCheckIn = (payload: Payload, intent: ClaimedIntent, signal: AbortSignal) => Promise<Delivery>;

/** Runs whose start was not sent, of those that go on: more than a bridge is away for. */
const MAX_LATE = 10_000;

/** Sends check-ins; the receipt of one says what Sentry dropped before of the same monitor, where there is a token. */
export function createCheckIns(account: Account): SendCheckIn {
  const errors = new ProcessingErrors();
  /** Ids of check-ins that Sentry does not have. */
  const late = new Set<string>();
  return async (payload, intent, signal) => {
    const { id, again, monitor } = payload.checkIn;
    // It would be a run that starts now.
    if (again === true && late.has(id)) return { outcome: 'drop', reason: 'late_start' };
    const delivery = await sendItem(account, payload, intent, signal);
    if (delivery.outcome === 'drop' && delivery.reason === 'late_start') {
      if (late.size >= MAX_LATE) late.clear();
      late.add(id);
    }
    if (delivery.outcome !== 'delivered') return delivery;
    const { dsn } = account.dsns.resolve(payload.target);
    const dropped = await errors.of(account, dsn.projectId, monitor.slug, signal);
    const detail = [delivery.detail, dropped].filter((text) => text !== undefined).join('; ');
    return detail === '' ? delivery : { ...delivery, detail };
  };
}

/** Counts what the process before may have sent just now. */
export function resumePace({ pace, dsns }: Account, sent: readonly SentIntent[]): void {
  for (const { payload, at, times } of sent) {
    const { data } = payloadSchema.safeParse(payload);
    if (data?.kind !== 'check_in') continue;
    const { monitor, environment } = data.checkIn;
    const { project } = dsns.resolve(data.target);
    for (let n = 0; n < times; n++) pace.sent(project, { monitor_slug: monitor.slug, environment }, at);
  }
}
