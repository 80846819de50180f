import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import type { SentryPayload } from './payload.ts';
import { releaseOf } from './release.ts';
import type { SentryRules } from './rules.ts';
import { subjectOf } from './subject.ts';
import { isSelected, limitsOf, targetOf } from './target.ts';

export function deployHears({ deploys, hasApi }: SentryRules): readonly TransitionKind[] {
  return deploys && hasApi ? ['run.ended'] : [];
}

/** A rollout that succeeded is a deploy of its release. */
export function planDeploy(transition: Transition, context: PlanContext, rules: SentryRules): Planned {
  const { run } = context;
  if (run?.revision === undefined || transition.outcome !== 'succeeded') return null;
  if (!isSelected(context, run.namespace, rules)) return { drop: 'not_selected' };
  const { chain } = subjectOf(transition.about, context);
  const release = releaseOf(rules.release, chain, imageOf(context));
  if (release === undefined) return { drop: 'no_release' };
  const item = {
    environment: rules.environment,
    name: `${run.namespace}/${run.name}`.slice(0, 64),
    ...(run.startedAt !== undefined && { dateStarted: new Date(run.startedAt).toISOString() }),
    dateFinished: new Date(transition.at).toISOString(),
  };
  const payload = {
    kind: 'deploy',
    target: targetOf(context, run.namespace, rules),
    release,
    item,
  } satisfies SentryPayload;
  const key = `${transition.id}/deploy`;
  return { intents: [{ key, lane: key, payload, limits: limitsOf(payload) }] };
}

/** The image of the first app container of a pod that the rollout made: the pods are of its revision. */
function imageOf({ attempts, facts }: PlanContext): string | undefined {
  const pod = facts(attempts().findLast(({ phase }) => phase === 'Running')?.podUid ?? '');
  return pod?.kind === 'Pod' ? pod.containers.find(({ type }) => type === 'app')?.image : undefined;
}
