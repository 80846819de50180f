import type { Tree } from '../../../../bridge/config/tree.ts';
import type { HttpRequest } from '../../../../bridge/sinks/http.ts';
import { EnvelopeError, parseJson, readEnvelope } from '../../../vendors/sentry-envelope.ts';
import { Sentry } from '../../../vendors/sentry.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkSentry, traceOf } from './check.ts';

const keyOf = (number: number): string => String(number).padStart(32, 'a');

/** A Sentry project: its quotas, and what it refuses, changes or drops. */
export class SentryAccount extends Sentry implements Account {
  readonly host: string;
  #number = 0;

  constructor(host: string) {
    super([keyOf(0)]);
    this.host = host;
  }

  settings(): Tree {
    return { dsn: `https://${keyOf(this.#number)}@${this.host}/1` };
  }

  rotate(): void {
    this.keys.clear();
    this.keys.add(keyOf(++this.#number));
  }

  /** Check-ins with what they say, events by their ids. */
  said({ body = '', headers = {} }: HttpRequest): string {
    try {
      const { items } = readEnvelope(Buffer.from(body), headers['content-encoding']);
      return items
        .flatMap(({ header: { type }, bytes }) => {
          if (type !== 'check_in' && type !== 'event') return [];
          const { check_in_id: checkIn, status, event_id: event } = parseJson(bytes, type) as Record<string, string>;
          return [type === 'event' ? event! : `${checkIn} ${status}`];
        })
        .join(',');
    } catch (error) {
      if (error instanceof EnvelopeError) return '';
      throw error;
    }
  }

  limitOf({ pathname }: URL): string {
    return pathname;
  }

  heard(uid: string): string[] {
    const trace = uid.replaceAll('-', '');
    const time = (at: number): string => new Date(at).toISOString();
    return [
      ...this.checkIns
        .filter(({ checkIn }) => checkIn.contexts?.trace.trace_id === trace)
        .map(({ at, checkIn }) => `${time(at)} ${checkIn.status} ${checkIn.check_in_id}`),
      ...this.events
        .filter(({ event }) => traceOf(event.contexts) === trace)
        .map(({ at, event }) => `${time(at)} ${event.level} ${event.message ?? ''}`),
    ];
  }
}

export const sentry: SimulatedVendor<SentryAccount> = {
  sink: 'sentry',
  open: (host) => new SentryAccount(host),
  check: checkSentry,
};
