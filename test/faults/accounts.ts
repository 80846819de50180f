import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { groupOf } from '../../bridge/kubernetes/metadata.ts';
import type { Kube } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import type { Accounts } from './stage.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

/** `group/resource` → verbs; the core group is "". */
export type Permissions = Readonly<Record<string, readonly string[]>>;

/** Those that the chart gives it with scope: cluster and every kind watched. */
export const COLLECTOR: Permissions = Object.fromEntries(
  Object.values(KINDS).map(({ apiVersion, resource }) => [`${groupOf(apiVersion)}/${resource}`, ['list', 'watch']]),
);
const WATCH = ['get', 'list', 'watch'];
export const BRIDGE: Permissions = {
  '/pods': WATCH,
  '/namespaces': ['get'],
  'batch/jobs': WATCH,
  'batch/cronjobs': WATCH,
  'events.k8s.io/events': ['list'],
};

/** The bridge and the Collector as service accounts with cluster roles of their own. */
export async function serviceAccounts(kube: Kube, kubeconfig: string, dataDir: string): Promise<Accounts> {
  const account = async (name: string, permissions: Permissions): Promise<string> => {
    await permit(kube, name, permissions);
    await kube.kubectl(['create', 'serviceaccount', name]);
    await bind(kube, name);
    const token = (await kube.kubectl(['create', 'token', name])).trim();
    const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { name: string }[] };
    const path = join(dataDir, `${name}.kubeconfig`);
    writeFileSync(
      path,
      JSON.stringify({ ...config, users: config.users.map((user) => ({ ...user, user: { token } })) }),
    );
    return path;
  };
  return { bridge: await account('bridge', BRIDGE), collector: await account('collector', COLLECTOR) };
}

async function bind(kube: Kube, name: string): Promise<void> {
  await kube.apply({
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    subjects: [{ kind: 'ServiceAccount', namespace: kube.namespace, name }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  });
}

/** Sets what a service account may do. The harness counts watches by /metrics. */
export async function permit(kube: Kube, account: string, permissions: Permissions): Promise<void> {
  const rules = Object.entries(permissions).map(([resource, verbs]) => {
    const [group, plural] = resource.split('/') as [string, string];
    return { apiGroups: [group], resources: [plural], verbs };
  });
  const metrics = { nonResourceURLs: ['/metrics'], verbs: ['get'] };
  await kube.apply({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: { name: account },
    rules: [...rules, metrics],
  });
}

/** Until the API server acts on what `permit` said. */
export async function untilMay(
  kube: Kube,
  account: string,
  verb: string,
  resource: string,
  may: boolean,
): Promise<void> {
  const as = `--as=system:serviceaccount:${kube.namespace}:${account}`;
  const ask = kube.kubectl.bind(undefined, ['auth', 'can-i', verb, resource, '--all-namespaces', as]);
  const answer = () =>
    ask().then(
      (text) => text.trim() === 'yes',
      () => false,
    );
  await until(`${account} may${may ? '' : ' not'} ${verb} ${resource}`, async () => (await answer()) === may);
}
