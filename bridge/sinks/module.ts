import type { z } from 'zod';
import type { Kind } from '../kubernetes/observation.ts';
import type { Run } from '../lifecycle/transition.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Http, HttpResult } from './http.ts';
import type { Selecting } from './selection.ts';
import type { Deliverer, Planner, Reads } from './sink.ts';

/** What a destination of any sink can be set to. */
export interface DestinationSettings extends Selecting {
  /** Everything except the requests: the outbox sees to it, a sink never does. */
  readonly dryRun: boolean;
  /** Namespaces that a destination wants must be in the scope of the bridge. */
  readonly namespaces?: readonly string[];
}

/** What a planner may know beside the settings of its destination. */
export interface World {
  /** Of the store: the same as long as it or its side file lives. Distinguishes clusters in keys. */
  readonly clusterId: string;
  /** As people call it. */
  readonly clusterName: string;
  /** Where people reach the page; without it links are left out. */
  readonly pageUrl: string | undefined;
  /** How many destinations of this sink the bridge has: they may share a limit. */
  readonly siblings: number;
}

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  /** Content type of the body; default JSON. */
  readonly type?: string;
}

/** The Kubernetes API that the bridge follows, for a sink that writes there. */
export interface Kube {
  /** What the bridge follows: the namespaces that it may ask about. */
  readonly scope: 'cluster' | readonly string[];
  /** Never throws; credentials are its own business. */
  send(request: KubeRequest, signal: AbortSignal): Promise<HttpResult>;
}

/** Where people read more of a run, for its page. */
export interface RunLink {
  readonly label: string;
  readonly url: string;
}

/** The log of the bridge. What is given to it holds no secret. */
export interface SinkLog {
  info(fields: object, message: string): void;
}

/** What a deliverer works with. */
export interface Deps {
  readonly http: Http;
  readonly clock: Clock;
  readonly log: SinkLog;
  /** Undefined where the bridge runs without the Kubernetes API (`cluster.list: false`). */
  readonly kube: Kube | undefined;
  /** As people call it. */
  readonly clusterName: string;
  /** Where people reach the page. */
  readonly pageUrl: string | undefined;
}

/**
 * A sink, whole: one folder, and one line in `index.ts`, from which configuration, `check`, `run`, the annotations that are
 * kept, the chart's schema and the documentation follow. `C`: the settings of one destination.
 */
export interface SinkModule<C extends DestinationSettings = DestinationSettings> {
  /** What its destinations are, as the configuration describes them: `Accounts of VENDOR`. */
  readonly title: string;
  readonly schema: z.ZodType<C>;
  /** The setting that is needed first: `apiKeyFile`. */
  readonly setFirst: string;
  readonly reads: Reads;
  /** Names of annotations that one destination reads beside those of `reads`, where its configuration names them. */
  annotations?(config: C): readonly string[];
  /** Kinds whose objects it changes: the chart permits that while one of its destinations is not a dry run. */
  readonly patches?: readonly Kind[];
  /** A destination may be without its secret; default: it needs one. */
  readonly secretIsOptional?: true;
  /** The pure half of `<sink>/<name>`. It is given no secret: what a planner has it can put into an error. */
  planner(name: string, config: C, world: World): Planner;
  /**
   * The half that talks to the vendor. A module imports it here, not at its head: with the libraries that it needs it costs tens
   * of MiB in each thread, and the worker thread and whoever has no such destination do without. Rejects with a UserError when
   * a secret cannot be read.
   */
  deliverer(name: string, config: C, deps: Deps): Promise<Deliverer>;
  /** The addresses that it talks to, by the setting that names each. `check` of the deliverer belongs to the first. */
  hosts(config: C): Readonly<Record<string, string>>;
  /** What its addresses answer to beside their own API; default HTTP. */
  readonly speaks?: 'grpc';
  /** Links to a run at the vendor, by what is configured alone. */
  links?(run: Run, config: C, clusterName: string, now: Instant): readonly RunLink[];
  /** What a person can do about a refusal of the vendor, in a sentence. */
  readonly advice: Readonly<Partial<Record<Reason, string>>>;
  /** Its page of documentation, from the root of the repository. A table of its settings is written into it. */
  readonly doc: string;
}
