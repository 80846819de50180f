import type { Clock } from '../../bridge/lib/clock.ts';
import type { Http } from '../../bridge/sinks/http.ts';
import type { ClaimedDesired, ClaimedIntent, Deliverer, Planner } from '../../bridge/sinks/sink.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Vendors } from '../vendors/start-vendors.ts';

/** What is expected of some statuses, apart from the shared part of the table. */
export type StatusTable = readonly (readonly [status: number, expected: object])[];

/** What a sink brings so that the suite can try it against its simulated vendor. */
export interface SinkCase {
  /** Part of `METHOD /path?query` of its requests, or several, for faults. */
  readonly match: { readonly intent: string | string[]; readonly desired: string };
  /** It asks what the vendor has before it sends telemetry: what was heard is not sent again. */
  readonly looksFirst?: true;
  /** It asks for a row before it makes one; this answer says that there is none. */
  readonly missing?: number;
  /** From now on no request may take longer, for a sink that does not use the HTTP client. */
  readonly hurry?: (ms: number) => void;
  /** Never to be seen outside a request. */
  readonly secrets: readonly string[];
  /** The sink's own answers to 4xx. */
  readonly refusals: { readonly intent: StatusTable; readonly desired: StatusTable };
  readonly planner: Planner;
  deliverer(http: Http, clock: Clock): Deliverer;
  /** The telemetry of one run in order, at least two in one lane; it waits at most for the desired row of its number. */
  intents(run: number): PlannedIntent[];
  desired(row: number, version: 'A' | 'B'): ClaimedDesired;
  /** What distinguishes this intent from others at the vendor. */
  identify(intent: ClaimedIntent): string;
  /** `identify` of the telemetry that the vendor processed, in order. */
  processed(vendors: Vendors): string[];
  /** What the vendor keeps of a desired row. */
  kept(vendors: Vendors, row: number): unknown;
}

/** Which rules of the contract do not concern a sink. */
export interface Exempt {
  /** It has desired rows only. */
  readonly telemetry?: 'none';
  /** What it wrote it never writes over, whatever is wanted afterwards. */
  readonly writes?: 'once';
}

/** As it is planned and as it is claimed: without the story of its run. */
export type PlannedIntent = Omit<ClaimedIntent, 'story'>;

export type MakeCase = (vendors: Vendors) => SinkCase;

/** Vendors whose key has characters that are escaped in URLs. */
export const startContractVendors = (): Promise<Vendors> => startVendors({ key: 'contract/secret+key' });

/** Every form in which a secret could get out. */
export function secretForms(secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(`${secret}:`)]);
}
