import { z } from 'zod';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { errorText } from '../../lib/errors.ts';
import { LEVELS, levelsSchema } from './level.ts';
import { pattern } from './pattern.ts';

const expression = (what: string) =>
  z
    .string()
    .max(1_000)
    .superRefine((source, context) => {
      try {
        pattern(source, 'find');
      } catch (error) {
        context.addIssue({
          code: 'custom',
          message: `allowed: a regular expression as RE2 has it (${errorText(error)})`,
        });
      }
    })
    .optional()
    .describe(what);

const rule = z
  .strictObject({
    reason: expression('Regular expression (RE2) of the whole reason, such as BackOff|Unhealthy'),
    message: expression('Regular expression (RE2) that is looked for in the message'),
    kind: expression('Regular expression (RE2) of the whole kind of the object or of its workload'),
    fingerprint: z
      .array(z.string().min(1).max(500))
      .min(1)
      .max(20)
      .optional()
      .describe(
        'How such events are grouped: texts, with {{ default }}, {{ cluster }}, {{ namespace }}, {{ kind }}, {{ workload }}, {{ container }}, {{ reason }}, {{ message }} (its shape) and the names of groups in message',
      ),
    level: z.enum(LEVELS).optional().describe('How bad they are; none: they are not reported'),
  })
  .refine(({ reason, message, kind }) => (reason ?? message ?? kind) !== undefined, {
    error: 'needs at least one of reason, message and kind',
  })
  .refine(({ fingerprint, level }) => fingerprint !== undefined || level !== undefined, {
    error: 'needs fingerprint or level: it changes nothing otherwise',
  });

const names = z.array(z.string().trim().min(1));

const filter = z
  .strictObject({
    reasons: names
      .default(['DockerStart', 'KubeletStart', 'NodeSysctlChange', 'ContainerdStart'])
      .describe('Reasons of Events and of ended containers that are not reported, whatever their case'),
    moreReasons: names.default([]).describe('The same, without replacing the default of reasons'),
    sources: names
      .default([])
      .describe(
        'Components whose Events are not reported, such as kubelet; x-pod-controller: what the status of a pod shows',
      ),
  })
  .prefault({})
  .describe('What is not reported');

/** Issues from failures, and from Warning Events. */
export const issuesSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether failures and Warning Events are issues'),
  fingerprints: z
    .enum(['stable', 'compatible'])
    .default('stable')
    .describe('How events are grouped: stable; or as sentry-kubernetes did, so that its issues continue'),
  levels: levelsSchema
    .prefault({})
    .describe('How bad each kind of failure is: fatal, error, warning, info, debug, or none'),
  attempts: z
    .boolean()
    .default(false)
    .describe('Whether each failed pod of a Job is reported too, beside the one event of a Job that failed'),
  filter,
  rules: z
    .array(rule)
    .max(200)
    .default([])
    .describe('What is grouped or judged in another way: the first that matches counts'),
  breadcrumbs: z
    .int()
    .min(0)
    .max(100)
    .default(30)
    .describe('Most Kubernetes Events of the object and its owners that an event carries as breadcrumbs'),
});

export type IssuesConfig = DeepReadonly<z.infer<typeof issuesSchema>>;
export type IssueRule = IssuesConfig['rules'][number];
