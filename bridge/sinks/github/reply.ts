import type { HttpAnswer } from '../http.ts';
import type { Delivery } from '../sink.ts';

/** What a call came to; `answer` is there when GitHub answered. `delivered` exactly for a 2xx. */
export interface Reply {
  readonly delivery: Delivery;
  readonly answer?: HttpAnswer;
}
