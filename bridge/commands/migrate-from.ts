import { readFileSync } from 'node:fs';
import { connectKube, type KubeApi } from '../cluster/api.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import type { Draft } from './migrate/draft.ts';
import { fromEnvironmentText, variablesIn } from './migrate/environment.ts';
import { areManifests, fromManifests } from './migrate/manifests.ts';
import { printNotes, printValues } from './migrate/print.ts';
import { type OldInstallation, readRelease } from './migrate/release.ts';
import { translate } from './migrate/rules.ts';
import { documentsOf, fromDocuments } from './migrate/sources.ts';
import type { OldTool } from './migrate/tool.ts';
import { OLD_TOOLS } from './migrate/tools.ts';
import { processTerminal, readArguments, type Terminal } from './terminal.ts';
import { UsageError } from './usage.ts';

const OPTIONS = {
  env: { type: 'string' },
  release: { type: 'string' },
  namespace: { type: 'string' },
  kubeconfig: { type: 'string' },
} as const;

/** What the command says beside the values. */
export interface MigrateTerminal extends Terminal {
  warn(text: string): void;
}

const terminalOfProcess: MigrateTerminal = { ...processTerminal, warn: (text) => console.error(printable(text)) };

/**
 * `migrate-from TOOL`: prints values of our chart for what an older tool was installed with, and beside them
 * what has no equivalent. Throws a UserError that lists every setting which cannot be understood.
 */
export async function migrateFromCommand(
  argv: readonly string[],
  terminal: MigrateTerminal = terminalOfProcess,
): Promise<number> {
  const { tool, settings, place, origin, incomplete } = await readOld(argv);
  const draft = translate(tool, settings, place);
  if (incomplete !== undefined) draft.todo(incomplete.source, incomplete.value);
  if (draft.refusals.length > 0) throw refusal(draft, origin);
  terminal.print(printValues(tool, draft, origin));
  const notes = printNotes(draft);
  if (notes !== '') terminal.warn(notes);
  return 0;
}

/** The old settings from the one place that the arguments name. */
async function readOld(argv: readonly string[]): Promise<OldInstallation & { readonly tool: OldTool }> {
  const { values, positionals } = readArguments('migrate-from', argv, OPTIONS, ['TOOL', 'FILE'], 1);
  const [name, file] = positionals;
  const load = OLD_TOOLS.get(name ?? '');
  const allowed = [...OLD_TOOLS.keys()].join(', ');
  if (load === undefined) throw new UsageError('migrate-from', `${name} is not known; allowed: ${allowed}`);
  const tool = await load();
  const { env, release, namespace, kubeconfig } = values;
  if ([file, env, release].filter((source) => source !== undefined).length !== 1)
    throw new UsageError('migrate-from', 'one of FILE, --env FILE and --release NAME is needed');
  if (release !== undefined) {
    if (namespace === undefined) throw new UsageError('migrate-from', '--release needs --namespace');
    return { tool, ...(await readRelease(tool, await connect(kubeconfig), release, namespace)) };
  }
  if (env !== undefined && tool.variables === undefined)
    throw new UsageError('migrate-from', `${tool.title} reads no variables: give its values file, or --release`);
  const path = file ?? env ?? '';
  const origin = path === '-' ? 'standard input' : path;
  const text = readText(path);
  return {
    tool,
    ...(file === undefined ? ofVariables(tool, text, origin, namespace) : ofFile(tool, text, origin, namespace)),
  };
}

/** The cluster. Throws a UserError that says how to name one. */
async function connect(kubeconfig: string | undefined): Promise<KubeApi> {
  try {
    return await connectKube(kubeconfig);
  } catch (error) {
    throw new UserError(errorText(error), 'Name a kubeconfig that can be read: --kubeconfig FILE, or KUBECONFIG');
  }
}

/** Values, objects of Kubernetes, or the list of variables out of one. */
function ofFile(tool: OldTool, text: string, origin: string, namespace: string | undefined): OldInstallation {
  const documents = documentsOf(text, origin);
  if (areManifests(documents)) {
    const { place, ...read } = fromManifests(tool, documents, origin);
    return { ...read, place: { ...place, ...(namespace !== undefined && { namespace }) } };
  }
  if (variablesIn(documents) !== undefined) return ofVariables(tool, text, origin, namespace);
  return { settings: fromDocuments(tool, documents, origin), place: { namespace }, origin };
}

function ofVariables(tool: OldTool, text: string, origin: string, namespace: string | undefined): OldInstallation {
  const settings = fromEnvironmentText(tool, text, origin);
  // A pod of the old chart says where it runs.
  const namespaceOfPod = settings.find(({ source }) => source === 'KUBERNETES_NAMESPACE')?.value;
  const place = { namespace: namespace ?? (typeof namespaceOfPod === 'string' ? namespaceOfPod : undefined) };
  const { unseen } = tool.variables ?? {};
  return { settings, place, origin, ...(unseen !== undefined && { incomplete: { source: 'flags', value: unseen } }) };
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read: ${errorText(error)}`,
      'Name an existing file, or - for standard input',
    );
  }
}

function refusal({ refusals }: Draft, origin: string): UserError {
  const lines = refusals.map(({ source, given, allowed }) => `  ${source}: ${given}; allowed: ${allowed}`);
  return new UserError(
    `${origin} contains settings that cannot be taken over as they are:\n${lines.join('\n')}`,
    'Correct these in a copy of the values and give that file.',
  );
}
