import { parseEnv } from 'node:util';
import { isTree } from '../../config/tree.ts';
import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectsAt } from '../../kubernetes/fields.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import { variableSettings } from './container.ts';
import type { Given } from './draft.ts';
import { documentsOf } from './sources.ts';
import type { OldTool } from './tool.ts';

/** How `kubectl set env --list` says that a value is in a Secret. */
const FROM_SECRET = /^# (\S+) from secret (\S+), key (\S+)$/gm;

/**
 * The settings in variables such as the pod of the old agent has: a `NAME=value` in each line, what `kubectl set env --list` prints, or
 * the list `env` of a container in YAML. Throws a UserError when none of them is one that the tool reads.
 */
export function fromEnvironmentText(tool: OldTool, text: string, file: string): Given[] {
  const isYaml = /^(?:-|env:|\[)/m.test(text) && !/^\w+=/m.test(text);
  const listed = isYaml ? variablesIn(documentsOf(text, file)) : undefined;
  const settings = variableSettings(tool, { env: listed ?? lines(text, file) }, '', new Map());
  if (settings.length <= (tool.variables?.implied.length ?? 0))
    throw new UserError(
      `${file} has no variable that ${tool.title} reads`,
      'Give a file with NAME=value lines, such as of: kubectl set env deployment/NAME --list',
    );
  return settings;
}

/** The variables of a container, where these documents are a list of them. */
export function variablesIn([document]: readonly unknown[]): KubeObject[] | undefined {
  const isAlone = isTree(document) && Object.keys(document).join() === 'env';
  const holder = isAlone ? document : { env: document };
  const all = objectsAt(holder, 'env');
  return all.length > 0 && all.every(({ name }) => typeof name === 'string') ? all : undefined;
}

function lines(text: string, file: string): KubeObject[] {
  try {
    return [
      ...Object.entries(parseEnv(text)).map(([name, value]) => ({ name, value })),
      ...[...text.matchAll(FROM_SECRET)].map(([, variable = '', name, key]) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name, key } },
      })),
    ];
  } catch (error) {
    throw new UserError(
      `${file} cannot be read as variables: ${errorText(error)}`,
      'Give a file with NAME=value lines',
    );
  }
}
