import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kube } from '../harness/kube.ts';
import type { Tree } from './helm.ts';

/** A kubeconfig of a service account, as its pod would have: with its permissions and no more. Returns the path. */
export async function accountKubeconfig(kube: Kube, admin: string, account: string, folder: string): Promise<string> {
  const token = (await kube.kubectl(['create', 'token', account, '--duration=1h'])).trim();
  const config = JSON.parse(readFileSync(admin, 'utf8')) as Tree & { users: { name: string }[] };
  const users = config.users.map(({ name }) => ({ name, user: { token } }));
  const path = join(folder, `${account}.kubeconfig`);
  writeFileSync(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return path;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** What an account may do in a namespace beyond what everybody may, one line per resource. */
export async function permissions(kube: Kube, account: string, namespace: string): Promise<readonly string[]> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const user = account === '' ? 'nobody' : `system:serviceaccount:${kube.namespace}:${account}`;
  const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${kube.namespace}`];
  const as = [`--as=${user}`, ...groups.map((group) => `--as-group=${group}`)];
  const answer = await kube.kubectl(['create', '-f', '-', '-o', 'json', '--validate=false', ...as], {
    input: JSON.stringify(review),
  });
  const { status } = JSON.parse(answer) as { status: { resourceRules: readonly Rule[] } };
  return status.resourceRules.flatMap(({ apiGroups = [], resources = [], resourceNames = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.map((resource) => {
        const name = resourceNames.length === 0 ? '' : ` (only ${resourceNames.toSorted().join(', ')})`;
        return `${resource}${group === '' ? '' : `.${group}`}${name}: ${verbs.toSorted().join(' ')}`;
      }),
    ),
  );
}
