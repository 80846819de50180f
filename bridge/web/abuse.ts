import type { Request } from 'express';

import { plainAddress } from '../lib/listen-host.ts';
import { Incidents } from '../telemetry/incidents.ts';
import type { WebOptions } from './options.ts';

/** What anybody can cause as often as they like is a line a minute for each message, with how often it was. */
const REPEAT_MS = 60_000;
const PATH_LENGTH = 100;

/** Writes to the log what strangers cause. */
export class Abuse {
  readonly #incidents: Incidents;

  constructor({ logger, clock }: Pick<WebOptions, 'logger' | 'clock'>) {
    this.#incidents = new Incidents(logger, () => clock.now(), REPEAT_MS);
  }

  /** `message` comes from a closed set. */
  seen({ socket, path }: Request, message: string): void {
    this.#incidents.seen(
      message,
      { remoteAddress: plainAddress(socket.remoteAddress ?? ''), path: path.slice(0, PATH_LENGTH) },
      message,
    );
  }

  /** A request that could not be answered; `route` is one of ours. */
  failed(route: string, error: unknown): void {
    this.#incidents.seen(`error ${route}`, { err: error, route }, 'a page could not be served', 'error');
  }
}
