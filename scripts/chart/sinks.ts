import type { Tree } from '../../bridge/config/tree.ts';
import { SINKS } from '../../bridge/sinks/index.ts';
import type { SinkModule } from '../../bridge/sinks/module.ts';
import { destinationSchema, named } from './json-schema.ts';
import { closed, text } from './schemas.ts';

/** The destinations of every sink, by the sink's name; a description in values.yaml counts. */
export function sinkValues(described: Tree): Tree {
  return Object.fromEntries(
    Object.entries(SINKS as Readonly<Record<string, SinkModule>>).map(([sink, { title, speaks, setFirst }]) => {
      const { names, properties, required, secrets } = destinationSchema(sink);
      // The chart fills in the address of an OTLP receiver: its Collector.
      const needed = required.filter((name) => speaks !== 'grpc' || name !== setFirst);
      const keys = Object.assign({}, ...secrets.map((secret) => secretValues(sink, secret))) as Tree;
      const description = { description: `${title} by a name of yours.`, ...(described[sink] as Tree | undefined) };
      return [sink, { ...description, ...named(names, closed({ ...keys, ...properties }, needed)) }];
    }),
  );
}

/** What the templates know of every sink: which setting is its secret, and the key that a Secret has it under by default. */
export function sinksFile(): string {
  const lines = Object.keys(SINKS).map((sink) => {
    const [secret] = destinationSchema(sink).secrets;
    return secret === undefined
      ? `${sink}: {}`
      : `${sink}: { secret: ${secret}, key: ${keyOf(secret)}${isOptional(sink) ? ', optional: true' : ''} }`;
  });
  return `# Written by scripts/gen-charts.ts from the SINKS of the bridge.\n${lines.join('\n')}\n`;
}

const isOptional = (sink: string): boolean => (SINKS as Record<string, SinkModule>)[sink]?.secretIsOptional === true;

const keyOf = (secret: string): string => secret.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** How a secret of a destination is given. */
function secretValues(sink: string, secret: string): Tree {
  return {
    existingSecret: { ...text, description: `Name of the Secret with the ${secret}`, examples: [sink] },
    key: { ...text, description: 'Key of that Secret', default: keyOf(secret) },
    [secret]: { ...text, description: `The ${secret} itself; refused unless allowInlineSecrets is true` },
  };
}
