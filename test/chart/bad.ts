import type { Manifest, Tree } from './helm.ts';
import type { POLICIES } from './policies.ts';

const LABELS = {
  'app.kubernetes.io/name': 'bad',
  'app.kubernetes.io/instance': 'bad',
  'app.kubernetes.io/part-of': 'bad',
};

const GOOD = {
  name: 'good',
  image: 'good:1.0',
  imagePullPolicy: 'IfNotPresent',
  resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
  livenessProbe: {},
  readinessProbe: {},
  startupProbe: { initialDelaySeconds: 1 },
  securityContext: {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
};
const POD = { automountServiceAccountToken: false, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } };

function pod(container: Tree, spec: Tree = {}): Manifest {
  const made = { ...POD, ...spec, containers: [{ ...GOOD, ...container }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad', labels: LABELS }, spec: made };
}
const context = (changed: Tree): Manifest => pod({ securityContext: { ...GOOD.securityContext, ...changed } });
const object = (kind: string, more: Tree = {}, metadata: Tree = {}): Manifest => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'bad', labels: LABELS, ...metadata },
  ...more,
});
const role = (rule: Tree): Manifest => object('Role', { rules: [rule] });

/** A pod that every rule accepts. */
export const ACCEPTED = pod({});

/** For each rule what breaks it, and only it. */
export const BAD: Readonly<Record<keyof typeof POLICIES, readonly Manifest[]>> = {
  'every container has requests and limits of CPU and memory': [
    pod({ resources: {} }),
    pod({ resources: { ...GOOD.resources, limits: { cpu: '1' } } }),
  ],
  'no image floats': [pod({ image: 'bad' }), pod({ image: 'bad:latest' }), pod({ image: 'registry:5000/bad' })],
  'no image is pulled at every start': [pod({ imagePullPolicy: 'Always' })],
  'nobody is root': [context({ runAsNonRoot: false }), context({ runAsUser: 0 })],
  'no privilege can be gained': [context({ allowPrivilegeEscalation: true })],
  'all capabilities are dropped': [context({ capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } })],
  'the root file system is read-only': [context({ readOnlyRootFilesystem: false })],
  'system calls are filtered': [pod({}, { securityContext: {} })],
  'what serves has probes': [pod({ readinessProbe: undefined })],
  'a start is waited for before a probe warns of it': [pod({ startupProbe: {} }), pod({ startupProbe: undefined })],
  'nothing of the host is used': [
    pod({}, { hostNetwork: true }),
    pod({}, { volumes: [{ name: 'host', hostPath: { path: '/' } }] }),
    pod({ ports: [{ containerPort: 80, hostPort: 80 }] }),
  ],
  'the token of the API is mounted once and on purpose': [
    pod({}, { automountServiceAccountToken: undefined }),
    pod(
      {},
      { automountServiceAccountToken: true, volumes: [{ projected: { sources: [{ serviceAccountToken: {} }] } }] },
    ),
  ],
  'every object says to whom it belongs': [object('Service', {}, { labels: {} })],
  'roles have neither wildcards nor secrets nor writing verbs, but for new Events, timestamps, and the restart of the Collector':
    [
      role({ apiGroups: ['*'], resources: ['pods'], verbs: ['get'] }),
      role({ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }),
      role({ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }),
      role({ apiGroups: [''], resources: ['pods'], verbs: ['delete'] }),
      role({ apiGroups: [''], resources: ['pods'], resourceNames: ['lb-collector-0'], verbs: ['delete', 'patch'] }),
      role({ apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] }),
    ],
  'no secret stands outside of a Secret': [
    object('ConfigMap', { data: { config: 'apiKey: 0123456789abcdef' } }),
    object('ConfigMap', { data: { key: '-----BEGIN PRIVATE KEY-----' } }),
  ],
  'only tests are hooks': [object('Secret', {}, { annotations: { 'helm.sh/hook': 'pre-install' } })],
  'nothing of a namespace is cluster-wide': [object('ClusterRole', { rules: [] })],
};
