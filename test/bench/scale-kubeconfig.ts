import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a kubeconfig for the simulated API on `port` into a folder that exists; returns its path. */
export function writeKubeconfig(folder: string, port: number): string {
  const file = join(folder, 'kubeconfig');
  const server = `http://127.0.0.1:${port}`;
  const config = {
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    'current-context': 'bench',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
