import type { Manifest, Tree } from './helm.ts';
import { type Container, containersOf, podsOf } from './pods.ts';

/** What a careful cluster refuses, by the name of the rule; each says what is wrong with which container or object. */
export type Policy = (manifests: readonly Manifest[]) => readonly string[];

type ContainerRule = (container: Container, pod: Tree, hook: boolean) => string | undefined;

const at = (tree: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((below, key) => (below as Tree | undefined)?.[key], tree);

function eachContainer(rule: ContainerRule): Policy {
  return (manifests) =>
    podsOf(manifests).flatMap((pod) =>
      containersOf(pod).flatMap((container) => {
        const wrong = rule(container, pod.spec, pod.hook);
        return wrong === undefined ? [] : [`${pod.owner}/${container.name}: ${wrong}`];
      }),
    );
}

function eachPod(rule: (pod: Tree) => string | undefined): Policy {
  return (manifests) =>
    podsOf(manifests).flatMap(({ owner, spec }) => {
      const wrong = rule(spec);
      return wrong === undefined ? [] : [`${owner}: ${wrong}`];
    });
}

/** The DaemonSet of backend.podLogs reads files of root from the disk of its node; pod-logs-values.test.ts says which. */
const POD_LOGS = /^DaemonSet\/[a-z0-9-]+-pod-logs(\/pod-logs)?: /;
const butForPodLogs =
  (policy: Policy): Policy =>
  (manifests) =>
    policy(manifests).filter((wrong) => !POD_LOGS.test(wrong));

const kinds =
  (...names: readonly string[]): Policy =>
  (manifests) =>
    manifests.filter(({ kind }) => names.includes(kind)).map(({ kind, metadata }) => `${kind}/${metadata.name}`);

const LIMITS = [
  ['requests', 'cpu'],
  ['requests', 'memory'],
  ['limits', 'cpu'],
  ['limits', 'memory'],
] as const;

const LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/part-of'];

/** The service account token is there by itself or by a volume, never both. */
function tokenTwice(pod: Tree): string | undefined {
  const volumes = JSON.stringify(pod['volumes'] ?? []);
  const automatic = pod['automountServiceAccountToken'];
  if (typeof automatic !== 'boolean') return 'does not say whether it needs the API';
  return automatic && volumes.includes('serviceAccountToken') ? 'mounts the token twice' : undefined;
}

function floating(image: string): boolean {
  return !/(@sha256:[0-9a-f]{64}|:[\w][\w.-]*)$/.test(image) || image.endsWith(':latest');
}

const FORBIDDEN = /"\*"|"secrets"|"(create|update|patch|delete|escalate|bind|impersonate)"/;
const RESTART =
  /\{"apiGroups":\[""\],"resources":\["pods"\],"resourceNames":\["[a-z0-9-]+-collector-0"\],"verbs":\["delete"\]\}/;
/** With the sink `kubernetes` only: the annotation with the time. */
const TIMESTAMPS = '{"apiGroups":[""],"resources":["pods"],"verbs":["patch"]}';
const NEW_EVENTS = '{"apiGroups":["events.k8s.io"],"resources":["events"],"verbs":["create"]}';

const writesTimestamps = ({ kind, ...rest }: Manifest): boolean =>
  kind === 'ConfigMap' && JSON.stringify(rest).includes('\\nkubernetes:');

function wildcards(manifests: readonly Manifest[]): readonly string[] {
  const timestamps = manifests.some(writesTimestamps) ? TIMESTAMPS : '';
  return manifests
    .filter(({ kind }) => kind.endsWith('Role'))
    .filter((role) =>
      FORBIDDEN.test(
        JSON.stringify(role['rules']).replace(NEW_EVENTS, '').replace(RESTART, '').replace(timestamps, ''),
      ),
    )
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

/** A literal that looks like a secret: in variables, arguments, annotations or a ConfigMap. */
function literals(manifests: readonly Manifest[]): readonly string[] {
  const secret =
    /(PRIVATE KEY|(api[-_]?key|password|passwd|secret|token)["']?\s*[:=]\s*["']?(?!\/|Bearer \$|\$|["'{])[\w+/=-]{8,})/i;
  return manifests
    .filter(({ kind }) => kind !== 'Secret')
    .filter((manifest) => secret.test(JSON.stringify(manifest)))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

export const POLICIES: Readonly<Record<string, Policy>> = {
  'every container has requests and limits of CPU and memory': eachContainer((container) => {
    const missing = LIMITS.filter((path) => at(container, 'resources', ...path) === undefined);
    return missing.length === 0 ? undefined : `no ${missing.map((path) => path.join('.')).join(', ')}`;
  }),
  'no image floats': eachContainer(({ image }) => (floating(image) ? image : undefined)),
  'no image is pulled at every start': eachContainer((container) =>
    container['imagePullPolicy'] === 'IfNotPresent' ? undefined : String(container['imagePullPolicy']),
  ),
  'nobody is root': butForPodLogs(
    eachContainer((container, pod) => {
      const own = (key: string) => at(container, 'securityContext', key) ?? at(pod, 'securityContext', key);
      return own('runAsNonRoot') === true && own('runAsUser') !== 0 ? undefined : 'may be root';
    }),
  ),
  'no privilege can be gained': eachContainer((container) =>
    at(container, 'securityContext', 'allowPrivilegeEscalation') === false ? undefined : 'allowPrivilegeEscalation',
  ),
  'all capabilities are dropped': eachContainer((container) =>
    JSON.stringify(at(container, 'securityContext', 'capabilities')) === '{"drop":["ALL"]}'
      ? undefined
      : 'capabilities',
  ),
  'the root file system is read-only': eachContainer((container) =>
    at(container, 'securityContext', 'readOnlyRootFilesystem') === true ? undefined : 'is writable',
  ),
  'system calls are filtered': eachPod((pod) =>
    at(pod, 'securityContext', 'seccompProfile', 'type') === 'RuntimeDefault' ? undefined : 'no seccomp profile',
  ),
  'what serves has probes': eachContainer((container, _, hook) =>
    hook || (container['livenessProbe'] !== undefined && container['readinessProbe'] !== undefined)
      ? undefined
      : 'no probes',
  ),
  'a start is waited for before a probe warns of it': eachContainer((container, _, hook) =>
    hook || Number(at(container, 'startupProbe', 'initialDelaySeconds') ?? 0) > 0 ? undefined : 'warns at once',
  ),
  'nothing of the host is used': butForPodLogs(
    eachPod((pod) => {
      const host = ['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => pod[key] === true);
      const text = JSON.stringify(pod);
      return host.length > 0 || /"hostPath"|"hostPort"/.test(text) ? 'uses the host' : undefined;
    }),
  ),
  'the token of the API is mounted once and on purpose': eachPod(tokenTwice),
  'every object says to whom it belongs': (manifests) =>
    manifests
      .filter(({ metadata }) => LABELS.some((label) => metadata.labels?.[label] === undefined))
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`),
  'roles have neither wildcards nor secrets nor writing verbs, but for new Events, timestamps, and the restart of the Collector':
    wildcards,
  'no secret stands outside of a Secret': literals,
  'only tests are hooks': (manifests) =>
    manifests
      .filter(({ metadata }) => (metadata.annotations?.['helm.sh/hook'] ?? 'test') !== 'test')
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`),
  'nothing of a namespace is cluster-wide': kinds('ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'),
};
