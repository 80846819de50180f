import type { Instant } from '../lib/clock.ts';
import type { KubeObject } from './fields.ts';
import { objectAt, objectsAt, textAt, timeAt } from './fields.ts';
import type { FieldsPlan } from './plan.ts';
import { redactImage } from './redact.ts';

/** Set in the template by `kubectl rollout restart` (kubectl: polymorphichelpers/objectrestarter.go), and by consoles. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

/** In a plan, what `readContainerNames` reads of a pod's spec. */
export const CONTAINER_NAMES: FieldsPlan = { containers: { name: 'scalar' }, initContainers: { name: 'scalar' } };

/** What the pods of an object are made of. */
export interface ContainerNames {
  /** Of the app and init containers of its pod template, in this order. */
  readonly containerNames?: readonly string[];
}

/** Of an object with a pod template at `template`. */
export function readContainerNames(object: KubeObject): ContainerNames {
  const spec = objectAt(objectAt(object, 'template'), 'spec');
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')];
  return { containerNames: containers.map((it) => textAt(it, 'name')).filter((name) => name !== undefined) };
}

/** What a revision's pod template says of the revision. */
export interface TemplateFacts {
  /** Of the app containers, in their order. */
  readonly images: readonly string[];
  /** When a restart was asked for (kubectl rollout restart). A revision keeps that of the one before unless it was a restart itself. */
  readonly restartedAt: Instant | undefined;
}

export const TEMPLATE: FieldsPlan = {
  metadata: { annotations: (key) => key === RESTARTED_AT },
  spec: { containers: { name: 'scalar', image: 'scalar' }, initContainers: { name: 'scalar' } },
};

/** Of an object with a pod template at `template`: a workload's or a ReplicaSet's spec, what a ControllerRevision holds. */
export function readTemplate(object: KubeObject): TemplateFacts {
  const template = objectAt(object, 'template');
  return {
    images: objectsAt(objectAt(template, 'spec'), 'containers').map((it) => redactImage(textAt(it, 'image') ?? '')),
    restartedAt: timeAt(objectAt(objectAt(template, 'metadata'), 'annotations'), RESTARTED_AT),
  };
}
