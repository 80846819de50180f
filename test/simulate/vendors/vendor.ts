import type { Tree } from '../../../bridge/config/tree.ts';
import type { HttpRequest } from '../../../bridge/sinks/http.ts';
import type { Deps, DestinationSettings } from '../../../bridge/sinks/module.ts';
import type { Deliverer } from '../../../bridge/sinks/sink.ts';
import type { ReadStore } from '../../../bridge/store/read.ts';
import type { VendorAnswer, VendorRequest } from '../../vendors/vendor.ts';
import type { Failure } from '../checker.ts';
import type { Tenure } from '../destinations.ts';
import type { Simulation } from '../simulation.ts';
import type { KubeObject } from '../world/objects.ts';

/** One account at a vendor: what a destination of the bridge talks to, and what it heard. */
export interface Account {
  /** What the real vendor would refuse, or a careful client would not do. `rate`: more often than it may. */
  readonly violations: { readonly at: number; readonly kind: string; readonly detail: string }[];
  /** What the configuration of a destination needs to use it: addresses and credentials. */
  settings(): Tree;
  /** From now on other credentials count, and the old ones are refused. */
  rotate(): void;
  handle(request: VendorRequest): VendorAnswer | undefined;
  /** A request leaves the bridge, whenever and whether it arrives. */
  asked?(request: HttpRequest): void;
  /** What a request reports, the same for the same thing, so that it counts as said twice; empty: it does not count. */
  said(request: HttpRequest): string;
  /** What is counted by the same limit: after a 429 with Retry-After none of it may come. */
  limitOf(url: URL): string;
  /** The bridge changed an object of the cluster. */
  patched?(before: KubeObject, after: KubeObject): void;
  /** What it heard of one run, a line each. */
  heard(uid: string): readonly string[];
}

/** What a checker goes by: the truth of the world, what the bridge shows, and who used the account when. */
export interface Checking {
  readonly simulation: Simulation;
  readonly reader: ReadStore;
  /** Of the account. */
  readonly host: string;
  readonly tenures: readonly Tenure[];
}

/** A vendor of the simulation: a folder, and a line in `index.ts`. */
export interface SimulatedVendor<A extends Account = Account> {
  /** The key of its sink in the configuration. */
  readonly sink: string;
  /** The half of its sink that talks to it, where that speaks something else than HTTP; default that of the bridge. */
  deliverer?(name: string, settings: DestinationSettings, deps: Deps): Deliverer;
  /** An account with an address of its own; `at`: the time by the vendor's clock. */
  open(host: string, at: () => number): A;
  /** Everything that is wrong with what an account heard. */
  check(account: A, checking: Checking): Failure[];
}
