import { UserError } from '../../lib/errors.ts';
import type { SinkModule } from '../module.ts';
import type { KubernetesConfig } from './config.ts';
import { kubernetesSchema } from './config.ts';
import { createKubernetesPlanner, READS } from './plan.ts';

/** Kubernetes itself: pods that ask for it get the time written into an annotation. */
export const kubernetes = {
  title: 'Timestamps of pods',
  schema: kubernetesSchema,
  setFirst: 'trigger',
  reads: READS,
  patches: ['Pod'],
  annotations: ({ trigger, result }) => [trigger, result],
  planner: (name, config) => createKubernetesPlanner(name, config),
  async deliverer(name, config, { kube, log, clock }) {
    const { createKubernetesDeliverer } = await import('./deliver.ts');
    if (kube !== undefined) return createKubernetesDeliverer(name, config, { kube, log, clock });
    throw new UserError(
      `kubernetes.${name} writes to the Kubernetes API, and cluster.list is false`,
      `Allowed: cluster.list: true, or a configuration without kubernetes.${name}`,
    );
  },
  hosts: () => ({}),
  advice: {
    unauthorized: 'The Kubernetes API does not take the credentials of the bridge: look at its service account.',
    forbidden:
      'Grant the account of the bridge the verbs get and patch on pods there; the chart does so for every namespace in scope while kubernetes has a destination.',
  },
  doc: 'docs/timestamp.md',
} as const satisfies SinkModule<KubernetesConfig>;
