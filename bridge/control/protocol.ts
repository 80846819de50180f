import { z } from 'zod';

import type { Resent, Retirement } from '../store/operations.ts';

const by = z.string().min(1).max(100);
const destination = z.string().min(1).max(200).optional();

/** What may be asked on the local socket, by path; each is a POST with this body. */
export const REQUESTS = {
  '/resend': z.strictObject({ subject: z.string().min(1).max(1000), destination, force: z.boolean(), by }),
  '/retire': z.strictObject({ undo: z.boolean(), by }),
  '/retirement': z.strictObject({}),
  '/test-delivery': z.strictObject({ destination }),
} as const;

export type LocalPath = keyof typeof REQUESTS;
export type LocalRequest<P extends LocalPath> = z.output<(typeof REQUESTS)[P]>;

/** What became of the test delivery of one destination. */
export interface Tested {
  readonly destination: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** What was done at the vendor, and what it answered. */
  readonly text: string;
}

export interface LocalAnswers {
  readonly '/resend': readonly Resent[];
  /** The retirement that lasts now, if any. */
  readonly '/retire': { readonly retirement?: Retirement | undefined };
  readonly '/retirement': { readonly retirement?: Retirement | undefined };
  readonly '/test-delivery': readonly Tested[];
}

/** What the bridge does for commands. A UserError is shown to the person who asked. */
export type LocalCalls = { readonly [P in LocalPath]: (request: LocalRequest<P>) => Promise<LocalAnswers[P]> };

export interface LocalProblem {
  readonly message: string;
  readonly next: string;
}

/** The socket stands beside the store: whoever may use the one may use the other. */
export function socketPath(storePath: string): string {
  return `${storePath}.sock`;
}

/** What an operating system takes as the path of a socket, in bytes. */
export const MAX_SOCKET_PATH = 103;
