import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'test-lanes-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs lanes with a vitest of which each project begins, waits for the beginning of those in `needs`, says two lines and ends. */
function runLanes(needs: Readonly<Record<string, string>>, ...lanes: readonly string[]) {
  const says = { numPassedTests: 1, testResults: [] };
  const program = [
    '#!/usr/bin/env bash',
    'project=$3 report=${6#--outputFile.json=}',
    `declare -A needs=(${Object.entries(needs)
      .map(([project, other]) => `[${project}]=${other}`)
      .join(' ')})`,
    `echo "$project begins" >>${folder}/order`,
    `[ -z "\${needs[$project]:-}" ] || until grep -qs "^\${needs[$project]} begins" ${folder}/order; do sleep 0.01; done`,
    'echo "one of $project"',
    'echo "two of $project" >&2',
    `echo "$project ends" >>${folder}/order`,
    `[ "$project" != broken ] || exit 1`,
    `echo '${JSON.stringify(says)}' >"$report"`,
  ];
  writeFileSync(join(folder, 'vitest'), program.join('\n'));
  chmodSync(join(folder, 'vitest'), 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'test-lanes.ts'), folder, ...lanes],
    {
      env,
      encoding: 'utf8',
    },
  );
  return { status, stdout, order: readFileSync(join(folder, 'order'), 'utf8').trim().split('\n') };
}

describe('lanes of test projects', () => {
  it('run side by side, the projects of one in order, and what each says stays together', () => {
    const { status, stdout, order } = runLanes({ a: 'c', c: 'b' }, 'a b', 'c');
    expect(order.indexOf('a ends')).toBeLessThan(order.indexOf('b begins'));
    expect(order).toHaveLength(6);
    for (const project of ['a', 'b', 'c'])
      expect(stdout).toMatch(new RegExp(`^== ${project} tests .*\\none of ${project}\\ntwo of ${project}\\n`, 'm'));
    expect(stdout.trimEnd()).toMatch(/\n3 passed, 0 failed$/);
    expect(status).toBe(0);
  });

  it('go on after a project that failed, and fail at the end', () => {
    const { status, stdout } = runLanes({}, 'broken a');
    expect(stdout).toMatch(/\nfailed: broken: no test failed, but vitest did[^\n]*\n1 passed, 1 failed\n$/);
    expect(status).toBe(1);
  });
});
