import { loadConfig } from '../config/load.ts';
import type { RunKind } from '../lifecycle/transition.ts';
import { iso } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { reasonText } from '../lib/reasons.ts';
import { dryRuns } from '../sinks/index.ts';
import type { QuarantineView, ReadStore } from '../store/read.ts';
import { openReader } from '../store/sqlite/open.ts';
import { unreadable } from '../store/sqlite/file/unreadable.ts';
import { cronJobText, prunedText, runsText, runText } from './run-text.ts';
import { fileOption, processTerminal, readArguments, type Terminal } from './terminal.ts';

const OPTIONS = { config: { type: 'string' }, store: { type: 'string' } } as const;
const LAST_RUNS = 10;
const SHOWN_UIDS = 5;

/**
 * `explain UID | NAMESPACE/NAME | NAMESPACE/KIND/NAME`: prints what was seen, decided and sent, and why not, of a run by its
 * UID (its beginning will do) or Job name, or of a CronJob, Deployment, StatefulSet or DaemonSet with its last runs. Reads the store beside a running bridge. Throws a UserError when nothing is known.
 */
export async function explainCommand(argv: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const { values, positionals } = readArguments('explain', argv, OPTIONS, [
    'UID, NAMESPACE/NAME or NAMESPACE/KIND/NAME',
  ]);
  const { path, dryRun, publicUrl } = storeOf(values, terminal);
  const reader = openReader(path, dryRun);
  try {
    terminal.print(`${retiredText(reader)}${explanation(reader, positionals[0] ?? '', publicUrl)}`);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    reader.close();
  }
  return 0;
}

function storeOf(
  { store, config }: { store?: string; config?: string },
  { env }: Terminal,
): { readonly path: string; readonly dryRun: readonly string[]; readonly publicUrl?: string } {
  if (store !== undefined) return { path: store, dryRun: [] };
  const loaded = loadConfig({ ...fileOption(config), env });
  const { publicUrl } = loaded.web;
  return { path: loaded.store.path, dryRun: dryRuns(loaded), ...(publicUrl !== undefined && { publicUrl }) };
}

function retiredText(reader: ReadStore): string {
  const current = reader.retirement();
  if (current === undefined) return '';
  const since = iso(current.since);
  return `The bridge is retired since ${since} by ${current.by}: what it keeps at vendors is paused, no telemetry is sent.\n\n`;
}

function explanation(reader: ReadStore, subject: string, publicUrl?: string): string {
  const { namespace, kind, name } = named(subject);
  const runs = namespace === undefined ? [] : reader.findRuns(namespace, name, LAST_RUNS, kind);
  const only = namespace === undefined ? wholeUid(reader, subject) : runs.length === 1 ? runs[0]?.uid : undefined;
  const detail = only === undefined ? undefined : reader.run(only);
  const quarantined = only === undefined ? '' : quarantineText(reader.quarantinedObject(only));
  if (detail !== undefined) return `${runText(detail, publicUrl)}${quarantined}`;
  if (quarantined !== '') return quarantined.trimStart();
  const pruned = only === undefined ? undefined : reader.pruned(only);
  if (pruned !== undefined) return prunedText(pruned);
  const cronJob = namespace === undefined || kind !== undefined ? undefined : reader.cronJob(namespace, name);
  if (runs.length === 0) {
    if (cronJob !== undefined) return `${cronJobText(cronJob)}\n\nNo run of it was seen so far.`;
    throw unknown(subject, namespace === undefined);
  }
  return `${cronJob === undefined ? '' : `${cronJobText(cronJob)}\n\n`}The last ${runs.length} runs of ${subject}, newest first:\n${runsText(runs)}\n\nOne of them: lifecycle-bridge explain UID`;
}

/** Kinds of runs, as kubectl takes them. */
const KINDS: Readonly<Record<string, RunKind | undefined>> = {
  job: 'Job',
  pod: 'Pod',
  deployment: 'Deployment',
  deploy: 'Deployment',
  statefulset: 'StatefulSet',
  sts: 'StatefulSet',
  daemonset: 'DaemonSet',
  ds: 'DaemonSet',
  cronjob: undefined,
};

/** UID, NAMESPACE/NAME or NAMESPACE/KIND/NAME. Throws a UserError for a kind that has no runs. */
function named(subject: string): { readonly namespace?: string; readonly kind?: RunKind; readonly name: string } {
  const parts = subject.split('/');
  const [namespace = '', given = '', name] = parts;
  if (parts.length === 1) return { name: subject };
  if (name === undefined) return { namespace, name: given };
  const kind = given.toLowerCase();
  if (!Object.hasOwn(KINDS, kind)) {
    const next = `Give one of ${Object.keys(KINDS).join(', ')}, as in shop/deployment/web.`;
    throw new UserError(`${JSON.stringify(given)} is not a kind that has runs`, next);
  }
  return { namespace, name, ...(KINDS[kind] !== undefined && { kind: KINDS[kind] }) };
}

/** The beginning of a UID does, if it is that of one run alone. Throws a UserError when it is that of several. */
function wholeUid(reader: ReadStore, given: string): string {
  if (!/^[0-9a-f-]{4,35}$/.test(given)) return given;
  const [first, ...others] = reader.uidsFrom(given, SHOWN_UIDS + 1);
  if (first === undefined || first === given || others.length === 0) return first ?? given;
  const shown = [first, ...others].slice(0, SHOWN_UIDS).join('\n  ');
  const more = others.length < SHOWN_UIDS ? '' : '\n  and others';
  throw new UserError(`several runs have a UID that begins with ${given}:\n  ${shown}${more}`, 'Give more of the UID.');
}

function quarantineText(row: QuarantineView | undefined): string {
  if (row === undefined) return '';
  const at = iso(row.at);
  return `\n\nIn quarantine since ${at}: ${reasonText(row.reason, row.error)}\n  its content is on the page at /quarantine/${row.id}`;
}

function unknown(subject: string, isUid: boolean): UserError {
  return new UserError(
    `nothing is known about ${isUid ? `a run with the UID ${subject}` : subject}`,
    [
      isUid
        ? 'Give the UID of a Job, or its beginning ("kubectl get job NAME -o jsonpath={.metadata.uid}") or NAMESPACE/NAME of a Job, CronJob or workload.'
        : 'Give NAMESPACE/NAME of a Job, CronJob or workload as "kubectl get" shows them, or the UID of a Job.',
      'If it ran in the cluster, "lifecycle-bridge check" says whether the bridge can see it.',
    ].join('\n'),
  );
}
