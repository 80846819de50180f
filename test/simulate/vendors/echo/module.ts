import { z } from 'zod';
import type { Json } from '../../../../bridge/lib/json.ts';
import { deliveryFor } from '../../../../bridge/sinks/delivery.ts';
import type { SinkModule } from '../../../../bridge/sinks/module.ts';
import { selectionFields, isInSelection } from '../../../../bridge/sinks/selection.ts';
import type { ClaimedIntent, Delivery, Reads } from '../../../../bridge/sinks/sink.ts';
import type { RunStory } from '../../../../bridge/sinks/story.ts';

const reads: Reads = {
  kinds: new Set(['CronJob', 'Job', 'Pod', 'Deployment', 'StatefulSet', 'DaemonSet']),
  annotations: [],
};
/** Kinds whose objects have a row. */
const ROWS = new Set<string>(['CronJob', 'Deployment', 'StatefulSet', 'DaemonSet']);
/** Of everything that goes there: a failure of the whole vendor holds all of it. */
const limits = (path: string) => ['address', path].map((key) => ({ key, perSecond: 50, burst: 100 }));

const schema = z.strictObject({
  url: z.url(),
  token: z.string(),
  ...selectionFields,
  dryRun: z.boolean().default(false),
});

/** A sink that hears everything that a sink can: starts, ends, settled runs with their stories, rows, the journal. */
export const echo: SinkModule<z.infer<typeof schema>> = {
  title: 'Echoes',
  schema,
  setFirst: 'url',
  reads,
  planner: (name, selection) => ({
    destination: `echo/${name}`,
    hears: new Set(['run.started', 'run.ended', 'run.settled']),
    reads,
    plan({ id, kind, at, outcome = null, inferred = false, corrects = false }, { run }) {
      if (run === undefined) return null;
      if (!isInSelection({ namespace: run.namespace, labels: {} }, selection)) return { drop: 'not_selected' };
      const payload = { id, kind, at, outcome, inferred, corrects, uid: run.uid, name: run.name };
      const story = kind === 'run.settled' && { story: run.uid };
      return { intents: [{ key: id, lane: run.uid, payload, limits: limits('/runs'), keep: true, ...story }] };
    },
    planDesired: (object) =>
      ROWS.has(object.kind) && isInSelection(object, selection)
        ? [{ key: object.uid, wanted: { name: `${object.namespace}/${object.name}` } }]
        : [],
    retire: (wanted) => ({ ...(wanted as object), retired: true }),
  }),
  async deliverer(name, { url, token }, { http, clock }) {
    const post = async (path: string, body: Json, signal: AbortSignal): Promise<Delivery> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const request = { method: 'POST', url: `${url}${path}`, headers, body: JSON.stringify(body) } as const;
      return deliveryFor(await http.request({ ...request, timeoutMs: 10_000, signal }), {
        now: clock.now(),
        limitKey: path,
        addressKey: 'address',
        refused: ({ status }) =>
          status === 401 || status === 403
            ? { outcome: 'retry', reason: 'unauthorized', afterMs: 60_000, hold: { key: `echo/${name}` } }
            : { outcome: 'drop', reason: 'bad_request', detail: `HTTP ${status}` },
      });
    };
    return {
      destination: `echo/${name}`,
      batch: { intents: 20, desired: 20 },
      convergeLimits: limits('/rows'),
      deliver: (intents, signal) => Promise.all(intents.map((intent) => post('/runs', withStory(intent), signal))),
      converge: (rows, signal) => Promise.all(rows.map(({ key, wanted }) => post('/rows', { key, wanted }, signal))),
      journal: {
        batch: 200,
        export: (entries, signal) =>
          post(
            '/journal',
            entries.map(({ seq, ...entry }) =>
              'event' in entry ? [seq, lineOf(entry.event)] : [seq, entry.transition.id],
            ),
            signal,
          ),
      },
    };
  },
  hosts: ({ url }) => ({ url }),
  advice: {},
  doc: 'docs/simulation.md',
};

/** An Event is a line again when its count has one digit more. */
function lineOf({ uid, count }: { readonly uid: string; readonly count: number }): string {
  return `${uid}/${String(count).length}`;
}

function withStory({ payload, story }: ClaimedIntent): Json {
  return story === undefined ? payload : { ...(payload as object), story: digestOf(story) };
}

/** What the checker looks at. */
function digestOf({ run, attempts, transitions, containers }: RunStory): Json {
  return {
    status: run.status,
    pods: attempts.map(({ podUid, phase }) => `${podUid} ${phase}`),
    transitions: transitions.map(({ id }) => id),
    containers: containers.map(({ podUid, name, instance, exitCode }) => `${podUid} ${name} ${instance} ${exitCode}`),
  };
}
