import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import type { SinkModule } from '../../bridge/sinks/module.ts';
import { isInSelection, selectionFields } from '../../bridge/sinks/selection.ts';
import type { Reads } from '../../bridge/sinks/sink.ts';

const NOTE = 'toy.example/note';
const reads: Reads = { kinds: new Set(['Deployment', 'Pod']), annotations: ['toy.example/'] };
const schema = z.strictObject({
  file: z.string().min(1).describe('File that everything is printed into'),
  ...selectionFields,
  dryRun: z.boolean().default(false).describe('Do everything except the printing'),
});

/** A sink as small as one can be: it prints an issue for each container that failed, and keeps a row for each Deployment. */
export const toy: SinkModule<z.infer<typeof schema>> = {
  title: 'Toys',
  schema,
  setFirst: 'file',
  reads,
  planner: (name, selection) => ({
    destination: `toy/${name}`,
    hears: new Set(['container.terminated']),
    reads,
    plan({ id, about, container }, { object, owners }) {
      if (container === undefined || container.exitCode === 0 || container.stopped) return null;
      const owner = owners().at(-1) ?? object();
      if (owner === undefined || !isInSelection(owner, selection)) return { drop: 'not_selected' };
      const note = owner.annotations[NOTE] ?? '';
      const payload = { issue: `${container.name} of ${about.name} of ${owner.name}: ${container.exitCode}`, note };
      const row = owner.kind === 'Deployment' && { waitsFor: owner.uid };
      return { intents: [{ key: id, lane: about.uid, payload, limits: [], ...row }] };
    },
    planDesired: (object) =>
      object.kind === 'Deployment' && isInSelection(object, selection)
        ? [{ key: object.uid, wanted: { row: object.name } }]
        : [],
    problems: ({ annotations: { [NOTE]: value = '' } }) =>
      value.length > 20 ? [{ annotation: NOTE, value, allowed: '20 characters', used: 'it as it is' }] : [],
    retire: () => ({ row: 'gone' }),
  }),
  deliverer: async (name, { file }) => {
    const print = (texts: readonly unknown[]) => {
      for (const text of texts) appendFileSync(file, `${JSON.stringify(text)}\n`);
      return Promise.resolve(texts.map(() => ({ outcome: 'delivered' as const })));
    };
    return {
      destination: `toy/${name}`,
      batch: { intents: 10, desired: 10 },
      convergeLimits: [],
      deliver: (intents) => print(intents.map(({ payload }) => payload)),
      converge: (rows) => print(rows.map(({ wanted }) => wanted)),
    };
  },
  hosts: () => ({}),
  advice: {},
  doc: 'test/toy-sink/toy.md',
};
