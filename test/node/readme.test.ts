import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { helmAt } from '../chart/helm.ts';
import { openNamespace } from '../harness/kube.ts';

const root = join(import.meta.dirname, '../..');
const walk = readFileSync(join(root, 'docs/real-node.md'), 'utf8');

/** The lines that a person types, from under `<!-- walk:NAME -->`. */
function typed(name: string): string {
  const block = new RegExp(`<!-- walk:${name} -->\\n\\n\`\`\`sh\\n([^]*?)\`\`\``).exec(walk)?.[1];
  if (block === undefined) throw new Error(`docs/real-node.md has no walk:${name}`);
  return block;
}

const node = inject('node');

describe.skipIf(node?.cluster === undefined)('docs/real-node.md, on a real node (needs root)', () => {
  const { cluster = '', kubeconfig = '' } = node ?? {};
  afterAll(async () => {
    await helmAt(kubeconfig, 'uninstall', 'lifecycle-bridge', '-n', 'lifecycle-bridge', '--wait');
    const kube = await openNamespace(kubeconfig, 'lifecycle-bridge');
    await kube.removeNamespace();
    await kube.kubectl(['delete', 'cronjob/nightly-report', '-n', 'default', '--ignore-not-found']);
  });

  it('leads from a failing CronJob to the call at the vendor, and back', async () => {
    // A person takes a moment to type the next line; the last one goes on for ever.
    const untilReported = 'until curl -s "$vendors/debug/state" | grep -q "fail[^}]*$uid"; do sleep 0.2; done\n';
    const follow = typed('follow').replace(/^.*port-forward.*\n$/m, '');
    expect(follow).not.toBe(typed('follow'));
    const said = await type(`${typed('install')}${typed('run')}${untilReported}${follow}`);
    expect(said).toMatch(/"state":"run"/);
    expect(said).toMatch(/"state":"fail"[^}]*exited with 3/);
    expect(said).toMatch(/default\/report-1: failed[^]*exit 3[^]*✓ delivered/);
    expect(said).toMatch(/http:\/\/localhost:8080\/runs\/[0-9a-f-]{36}\n/);
  });

  async function type(lines: string): Promise<string> {
    const env = { ...process.env, LB_CLUSTER: cluster };
    const child = spawn('bash', ['-euo', 'pipefail', '-c', lines], { cwd: root, env, detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(child, 'close');
    const [code] = (await once(child, 'exit')) as [number | null];
    spawn('kill', ['--', `-${child.pid}`]); // the vendors in the background hold the output open
    await closed;
    if (code !== 0) throw new Error(`ended with ${code}:\n${said}`);
    return said;
  }
});
