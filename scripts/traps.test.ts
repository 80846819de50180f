import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = import.meta.dirname;
const traps = readdirSync(folder)
  .filter((name) => statSync(join(folder, name)).isFile())
  .flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/^trap '(.*)' EXIT$/gm)].map((match) => ({
      name,
      trap: match[1]!,
    })),
  );

/** A program that has ended cannot be killed, and what is away cannot be removed: under "set -e" that was the exit code. */
const nothingLeft = 'results=/nonexistent job=99999999; clean() { return 1; };';

describe('what a script does at its end', () => {
  it('is found', () => expect(traps.map(({ name }) => name)).toContain('test'));

  it.each(traps)('leaves the exit code of $name as it was when there is nothing left to stop', ({ trap }) => {
    for (const code of [0, 3]) {
      expect(
        spawnSync('bash', ['-euo', 'pipefail', '-c', `${nothingLeft} trap '${trap}' EXIT; exit ${code}`]).status,
      ).toBe(code);
    }
  });
});
