import { z } from 'zod';
import { timeZone } from '../../kubernetes/time-zone.ts';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { selectionFields } from '../selection.ts';

/** Go compiles it too, in the schema of the chart. */
const PREFIX = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/';
const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';

const ALLOWED = 'allowed: the name of an annotation, such as timestamp or example.com/timestamp';
const annotation = z
  .string()
  .regex(new RegExp(`^(${PREFIX})?${NAME}$`), ALLOWED)
  .refine((name) => name.lastIndexOf('/') <= 253, ALLOWED);

function isZone(name: string): boolean {
  return name !== '' && name !== 'Local' && name !== 'Factory' && timeZone(name) !== undefined;
}

/** Pods that get a timestamp. */
export const kubernetesSchema = z
  .strictObject({
    trigger: annotation
      .default('addtime')
      .describe('Annotation that asks for a timestamp; its value does not matter, and may be empty'),
    result: annotation
      .default('timestamp')
      .describe('Annotation that gets it; a pod that has it already, with any value, is left alone'),
    value: z
      .enum(['observed', 'started'])
      .default('observed')
      .describe(
        'observed: when the bridge saw the pod with the trigger and without the result; started: status.startTime of the pod, once it is known',
      ),
    timeZone: z
      .string()
      .refine(isZone, 'allowed: UTC, or a time zone of the IANA database such as Europe/Berlin')
      .default('UTC')
      .describe('Zone of the time, which is written as RFC 3339 with its offset, Z for none'),
    over: z
      .enum(['skip', 'write'])
      .default('skip')
      .describe('What is done with pods that are being deleted, have succeeded or have failed'),
    ...selectionFields,
    dryRun: z.boolean().default(false).describe('Do everything except the requests'),
  })
  .refine(({ trigger, result }) => trigger !== result, {
    error: 'must not be the trigger: allowed: the name of another annotation',
    path: ['result'],
  });

export type KubernetesConfig = DeepReadonly<z.infer<typeof kubernetesSchema>>;
