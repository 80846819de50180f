import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import { agentPattern, uncombined } from './agent-patterns.ts';
import { namesOf, planReport } from './event-item.ts';
import type { Failure } from './failure.ts';
import { failureOfWarning, saidContainer } from './failure.ts';
import { levelKey } from './level.ts';
import { messageShape } from './message-shape.ts';
import type { SentryRules } from './rules.ts';
import type { Subject } from './subject.ts';
import { subjectOf } from './subject.ts';

export function eventHears({ issues }: SentryRules): readonly TransitionKind[] {
  return issues.enabled ? ['event.warned'] : [];
}

/** An issue from a Warning Event; what status says too is one issue with that. */
export function planEvent(transition: Transition, context: PlanContext, rules: SentryRules): Planned {
  const subject = subjectOf(transition.about, context);
  if (isCovered(transition, subject, context)) return { drop: 'reported_otherwise' };
  const { reason = '', at, about, count = 1 } = transition;
  const { message } = uncombined(transition.message ?? '');
  const { pod } = subject;
  const times = count > 1 ? ` (${count} times)` : '';
  return planReport(
    transition,
    subject,
    {
      watcher: 'events',
      failure: failureOfWarning(transition, pod) ?? warning(reason, message, transition, subject),
      levelKey: levelKey('warning'),
      at,
      title: `${[reason, message].filter(Boolean).join(': ') || 'Warning'}${times}`,
      agentMessage: message,
      reason,
      message,
      node: pod?.nodeName ?? (about.kind === 'Node' ? about.name : undefined),
    },
    context,
    rules,
  );
}

/** What a Job's condition says when it fails. */
const ENDS_JOB: ReadonlySet<string> = new Set([
  'BackoffLimitExceeded',
  'DeadlineExceeded',
  'PodFailurePolicy',
  'FailedIndexes',
  'MaxFailedIndexesExceeded',
]);

/** Whether the end of a run or of a pod reports the same: the Job fails, the pod is evicted. */
function isCovered({ reason = '', about }: Transition, { pod }: Subject, { run }: PlanContext): boolean {
  if (about.kind === 'Job') return run !== undefined && ENDS_JOB.has(reason);
  return pod !== undefined && (reason === 'Evicted' || reason === 'DeadlineExceeded');
}

/** Any other Warning: reason and shape of the message, and which container it is about. */
function warning(reason: string, message: string, transition: Transition, subject: Subject): Failure {
  const container = saidContainer(transition);
  const shape = agentPattern(message)?.join(' ') ?? messageShape(message, namesOf(subject));
  return { kind: 'warning', ...(container !== undefined && { container }), detail: `${reason}: ${shape}` };
}
