import { kubeApi, kubeOf } from '../../bridge/cluster/api.ts';
import { desiredContext } from '../fixtures/desired-context.ts';
import { podFacts } from '../fixtures/facts.ts';
import type { Json } from '../../bridge/lib/json.ts';
import { kubernetesSchema } from '../../bridge/sinks/kubernetes/config.ts';
import { createKubernetesDeliverer } from '../../bridge/sinks/kubernetes/deliver.ts';
import { createKubernetesPlanner } from '../../bridge/sinks/kubernetes/plan.ts';
import type { ClaimedDesired } from '../../bridge/sinks/sink.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { kubeAccess } from './pod-world.ts';
import { sinkContract } from './sink-contract.ts';
import type { SinkCase, StatusTable } from './sink-case.ts';

const config = kubernetesSchema.parse({});
const planner = createKubernetesPlanner('contract', config);
const START = Date.parse('2026-01-01T00:00:00Z');

const dropped = (reason: string) => ({ outcome: 'drop', reason });
const patches: StatusTable = [
  [200, { outcome: 'retry', reason: 'bad_answer' }],
  [400, dropped('bad_request')],
  [403, dropped('forbidden')],
  [404, dropped('object_gone')],
  [422, dropped('bad_request')],
  // Asked again, with other credentials or after another look.
  [409, { outcome: 'delivered' }],
];

function makeCase(vendors: Vendors): SinkCase {
  const { kubernetes } = vendors;
  const pods = [1, 2, 3].map((row) => kubernetes.create(`shop/p${row}`, { addtime: '' }));
  const access = { ...kubeAccess(vendors), timeoutMs: 30_000 };
  const api = kubeApi(access, () => Promise.resolve(access));
  const desired = (row: number, version: 'A' | 'B'): ClaimedDesired => {
    const { uid, namespace, name, annotations } = pods[row - 1]!.metadata;
    const facts = podFacts({
      uid,
      namespace,
      name,
      annotations: { addtime: annotations['addtime']! },
      phase: 'Pending',
    });
    const now = version === 'A' ? START : START + 3_600_000;
    const [planned] = planner.planDesired(facts, desiredContext({ now }));
    const wanted = planned!.wanted as Json;
    return { key: uid, wanted, destination: planner.destination, wantedHash: version, attempt: 1 };
  };
  return {
    match: { intent: 'none', desired: 'PATCH /api/v1/namespaces/' },
    secrets: [vendors.key],
    refusals: { intent: [], desired: patches },
    planner,
    hurry: (ms) => void (access.timeoutMs = ms),
    deliverer: (_, clock) =>
      createKubernetesDeliverer('contract', config, {
        clock,
        log: { info: () => undefined },
        kube: kubeOf(api, 'cluster'),
      }),
    intents: () => [],
    desired,
    identify: () => '',
    processed: () => [],
    kept(_, row) {
      const { namespace, name, uid, annotations } = pods[row - 1]!.metadata;
      return { namespace, name, uid, annotation: 'timestamp', value: annotations['timestamp'], evenOver: false };
    },
  };
}

sinkContract('Kubernetes', makeCase, { telemetry: 'none', writes: 'once' });
