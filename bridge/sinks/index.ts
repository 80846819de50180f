import { z } from 'zod';
import { withNeeded } from '../kubernetes/followed.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Run } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { DeepReadonly } from '../lib/deep-readonly.ts';
import type { Reason } from '../lib/reasons.ts';
import { cronitor } from './cronitor/module.ts';
import { github } from './github/module.ts';
import { kubernetes } from './kubernetes/module.ts';
import { opentelemetry } from './otlp/module.ts';
import type { Deps, DestinationSettings, RunLink, SinkModule, World } from './module.ts';
import { sentry } from './sentry/module.ts';
import type { ConfiguredDeliverer, Planner } from './sink.ts';

/** Every sink, by its key in the configuration: the only list of them. */
export const SINKS = {
  cronitor,
  sentry,
  github,
  kubernetes,
  opentelemetry,
} satisfies Readonly<Record<string, SinkModule>>;

type Sinks = typeof SINKS;

const MODULES: Readonly<Record<string, SinkModule>> = SINKS;

const destinationName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a destination name has lower-case letters, digits and dashes');

type SinkSchemas = {
  readonly [K in keyof Sinks]: z.ZodPrefault<z.ZodRecord<typeof destinationName, Sinks[K]['schema']>>;
};

/** The configuration of every sink: destinations by name. A destination's id is `<sink>/<name>`. */
export const sinkSchemas = Object.fromEntries(
  Object.entries(MODULES).map(([sink, { schema, title }]) => [
    sink,
    z.record(destinationName, schema).prefault({}).describe(`${title} by name`),
  ]),
) as unknown as SinkSchemas;

/** Part of the configuration: one key per sink. */
export type SinksConfig = DeepReadonly<{ [K in keyof Sinks]: z.infer<SinkSchemas[K]> }>;

/** One configured destination. */
export interface Configured {
  /** `<sink>/<name>` */
  readonly destination: string;
  readonly sink: string;
  readonly name: string;
  readonly settings: DestinationSettings;
  readonly module: SinkModule;
}

/** Every destination of a configuration, in the order of `SINKS` and their own. */
export function configured(config: SinksConfig): Configured[] {
  const byName = config as Readonly<Record<string, Readonly<Record<string, DestinationSettings>>>>;
  return Object.entries(MODULES).flatMap(([sink, module]) =>
    Object.entries(byName[sink] ?? {}).map(([name, settings]) => {
      return { destination: `${sink}/${name}`, sink, name, settings, module };
    }),
  );
}

/** The annotations that any sink reads, whatever is configured, and those that the configuration names. */
export function readAnnotations(config?: SinksConfig): string[] {
  const named = config === undefined ? [] : configured(config);
  return [
    ...Object.values(MODULES).flatMap(({ reads }) => reads.annotations),
    ...named.flatMap(({ module, settings }) => module.annotations?.(settings) ?? []),
  ];
}

/**
 * The kinds that have to be followed for these sinks (their keys in `SINKS`), with those that are always followed, in the
 * order of their LISTs; a name that is not a sink needs none more. The bridge asks for its configured destinations; the
 * generators of the chart and of the Collector's configuration ask for each sink alone, and for several the union is the same.
 */
export function neededKinds(sinks: readonly string[]): Kind[] {
  return withNeeded(sinks.flatMap((sink) => [...(MODULES[sink]?.reads.kinds ?? [])]));
}

/** The pure halves of all configured destinations. */
export function createPlanners(config: SinksConfig, world: Omit<World, 'siblings'>): Planner[] {
  const all = configured(config);
  return all.map(({ sink, name, settings, module }) => {
    const siblings = all.filter((other) => other.sink === sink).length;
    return module.planner(name, settings, { ...world, siblings });
  });
}

/** What deliverers know of the bridge beside what they are given to work with. */
export function depsOf(
  {
    cluster,
    web,
  }: { readonly cluster: { readonly name: string }; readonly web: { readonly publicUrl?: string | undefined } },
  given: Omit<Deps, 'clusterName' | 'pageUrl'>,
): Deps {
  return { ...given, clusterName: cluster.name, pageUrl: web.publicUrl };
}

/** The halves that talk to vendors. Rejects with a UserError when a secret cannot be read. */
export async function createDeliverers(config: SinksConfig, deps: Deps): Promise<ConfiguredDeliverer[]> {
  const deliverers: ConfiguredDeliverer[] = [];
  for (const one of configured(config)) deliverers.push(await createDeliverer(one, deps));
  return deliverers;
}

/** The half of one destination that talks to its vendor. Rejects with a UserError when a secret cannot be read. */
export async function createDeliverer(
  { name, settings, module }: Configured,
  deps: Deps,
): Promise<ConfiguredDeliverer> {
  return { ...(await module.deliverer(name, settings, deps)), dryRun: settings.dryRun };
}

/** The destinations that do everything except the requests. */
export function dryRuns(config: SinksConfig): string[] {
  return configured(config).flatMap(({ destination, settings }) => (settings.dryRun ? [destination] : []));
}

/** Where people read more of a run at each destination. */
export interface DestinationLink extends RunLink {
  readonly destination: string;
}

/** The links of the page of a run, for every destination that has some. */
export function runLinks(config: SinksConfig, clusterName: string, now: () => Instant) {
  const all = configured(config);
  return (run: Run): readonly DestinationLink[] =>
    all.flatMap(({ destination, settings, module }) =>
      (module.links?.(run, settings, clusterName, now()) ?? []).map((link) => ({ destination, ...link })),
    );
}

/** A configured destination in a line that a person reads at the start. */
export function described({ destination, settings }: Configured): string {
  return `${destination}${settings.dryRun ? ' (dry run: nothing is sent)' : ''}`;
}

/** What a person can do about a refusal by the vendor of a destination; empty without anything to say. */
export function adviceOn(destination: string, reason: Reason): string {
  return MODULES[destination.split('/')[0] ?? '']?.advice[reason] ?? '';
}
