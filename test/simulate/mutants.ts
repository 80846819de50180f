import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A bridge that is broken on purpose: `from` stands once in `file`. */
interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledges before the commit',
    file: 'bridge/ingest/thread/service.ts',
    from: 'const done = engine.commit(batches, now);',
    to: 'this.#answerAll(group); this.#send(); const done = engine.commit(batches, now);',
  },
  {
    name: 'forgets the holds of its vendors',
    file: 'bridge/store/sqlite/outbox/holds.ts',
    from: '.map(({ key }) => key);\n  }\n\n  /** Whether a destination is held',
    to: '.map(({ key }) => key).slice(0, 0);\n  }\n\n  /** Whether a destination is held',
  },
  {
    name: 'skips the tombstones',
    file: 'bridge/follow/late-records.ts',
    from: 'if (tx.tombstones.has(uid)) return true;',
    to: '',
  },
  {
    name: 'lets an older version win',
    file: 'bridge/lifecycle/merge.ts',
    from: 'const isNewer = order > 0 ||',
    to: 'const isNewer = order !== 0 ||',
  },
  {
    name: 'takes an early hint for the end',
    file: 'bridge/lifecycle/job.ts',
    from: "ending('succeeded', 'Complete') ?? ending('failed', 'Failed');",
    to: "ending('succeeded', 'SuccessCriteriaMet') ?? ending('succeeded', 'Complete') ?? ending('failed', 'Failed');",
  },
  {
    name: 'takes what a crash left in flight for delivered',
    file: 'bridge/store/sqlite/outbox/intents.ts',
    from: "unknown_outcomes = unknown_outcomes + 1, next_at = ? WHERE status = 'sending' RETURNING",
    to: "settled_at = next_at, status = 'delivered', next_at = ? WHERE status = 'sending' RETURNING",
  },
  {
    name: 'sends a lane without waiting for its head',
    file: 'bridge/store/sqlite/outbox/intents.ts',
    from: "const place = head === undefined ? this.#headPlace(destination, waitsFor) : 'queued';",
    to: 'const place = this.#headPlace(destination, waitsFor);',
  },
  {
    name: 'takes an answer for that to the newest payload',
    file: 'bridge/store/sqlite/desired/desired.ts',
    from: 'const changed = row.wanted_hash !== sentHash;\n    if (delivery',
    to: 'const changed = false; sentHash = row.wanted_hash;\n    if (delivery',
  },
  {
    name: 'reads nothing of what an audit finds',
    file: 'bridge/ingest/audit/audit.ts',
    from: 'return { differing, full: pass.epoch };',
    to: 'return { differing: [], full: false };',
  },
  {
    name: 'notices no restored etcd',
    file: 'bridge/ingest/audit/audit.ts',
    from: 'if (memory.below < 2) return;',
    to: 'if (memory.below >= 0) return;',
  },
  {
    name: 'takes a deletion for a change',
    file: 'bridge/otlp/decode/records.ts',
    from: "deleted: watched && body['type'] === 'DELETED'",
    to: 'deleted: false',
  },
  {
    name: 'announces what was over before the cut-off',
    file: 'bridge/policy/cutoff.ts',
    from: 'if (transition.at >= cutoff) return undefined;',
    to: 'return undefined;',
  },
  {
    name: 'takes a failing vendor for one that heard it',
    file: 'bridge/sinks/delivery.ts',
    from: 'if (status >= 200 && status < 300)',
    to: 'if ((status >= 200 && status < 300) || status === 500)',
  },
];

export interface Hunt {
  /** Of each seed. */
  readonly days: number;
  readonly within: number;
  /** The first seed. */
  readonly first: number;
  /** A part of the name of those that are hunted; default all. */
  readonly only: string | undefined;
}

/**
 * Breaks the bridge in one way after the other, in a copy, and simulates up to `within` days until something fails.
 * Returns the exit code: 1 when one was not found.
 */
export function hunt({ days, within, first, only }: Hunt): number {
  let missed = 0;
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only ?? ''))) {
    const seeds = Math.ceil(within / days);
    const worlds = ['--first', String(first), '--seeds', String(seeds), '--days', String(days)];
    const lines = simulateMutant(mutant, ['--stop', ...worlds]).split('\n');
    const failed = lines.findIndex((line) => line.includes('FAILURES'));
    if (failed < 0) missed++;
    const seed = Number(lines[failed]?.split(/[ :]/)[1]);
    const found =
      failed < 0
        ? `NOT FOUND in ${seeds * days} days`
        : `found by seed ${seed}, within ${(seed - first + 1) * days} days: ${lines[failed + 1]?.trim()}`;
    console.log(`${mutant.name}: ${found}`);
  }
  return missed === 0 ? 0 : 1;
}

function simulateMutant({ name, file, from, to }: Mutant, args: readonly string[]): string {
  const root = resolve(import.meta.dirname, '../..');
  const copy = mkdtempSync('/dev/shm/mutant-');
  try {
    for (const folder of ['bridge', 'test']) cpSync(join(root, folder), join(copy, folder), { recursive: true });
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const source = readFileSync(join(copy, file), 'utf8');
    if (source.split(from).length !== 2) throw new Error(`${name}: ${file} has changed: correct the mutant`);
    writeFileSync(
      join(copy, file),
      source.replace(from, () => to),
    );
    const run = spawnSync(process.execPath, ['test/simulate/main.ts', ...args], { cwd: copy, encoding: 'utf8' });
    // A mutant that does not even load proves nothing.
    if (!/^seed \d/m.test(run.stdout)) throw new Error(`${name}: it does not run: ${run.stderr}`);
    return run.stdout;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
