import { booleanAt, objectAt, objectOf } from '../../kubernetes/fields.ts';
import type { Kube } from '../module.ts';
import type { Delivery } from '../sink.ts';
import type { KubernetesConfig } from './config.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** Asks the Kubernetes API what the bridge may do with the pods of this destination. Changes nothing. */
export async function checkAccess(kube: Kube, config: KubernetesConfig, signal: AbortSignal): Promise<Delivery> {
  const { scope } = kube;
  const namespaces = config.namespaces.length > 0 ? config.namespaces : scope === 'cluster' ? [undefined] : scope;
  const asked = namespaces.filter((name) => name === undefined || !config.excludeNamespaces.includes(name));
  for (const namespace of asked) {
    for (const verb of ['get', 'patch']) {
      const allowed = await mayDo(kube, verb, namespace, signal);
      if (typeof allowed !== 'boolean') return allowed;
      const detail = `it may not ${verb} pods${namespace === undefined ? '' : ` in ${namespace}`}`;
      if (!allowed) return { outcome: 'drop', reason: 'forbidden', detail };
    }
  }
  const where = asked.every((name) => name === undefined) ? 'in all namespaces' : `in ${asked.join(', ')}`;
  return { outcome: 'delivered', detail: `the bridge may get and patch pods ${where}` };
}

async function mayDo(
  kube: Kube,
  verb: string,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<boolean | Delivery> {
  const resourceAttributes = { verb, resource: 'pods', ...(namespace !== undefined && { namespace }) };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const answer = await kube.send({ method: 'POST', path: PATH, body: JSON.stringify(review) }, signal);
  if (answer.kind === 'failed') return { outcome: 'retry', reason: answer.reason, detail: answer.detail };
  if (answer.status === 201) return booleanAt(objectAt(objectOf(answer.body), 'status'), 'allowed');
  const reason = answer.status === 401 ? 'unauthorized' : 'bad_answer';
  return { outcome: 'retry', reason, detail: `HTTP ${answer.status}` };
}
