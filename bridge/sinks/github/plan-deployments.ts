import type { Facts } from '../../kubernetes/observation.ts';
import type { Outcome, Run, Transition, TransitionKind } from '../../lifecycle/transition.ts';
import { z } from 'zod';
import type { Json } from '../../lib/json.ts';
import { pageLink } from '../../lib/page-link.ts';
import type { AnnotationProblem, Desired, DesiredContext, PlanContext, Planned } from '../sink.ts';
import { HOLD } from '../sink.ts';
import { REPOSITORY } from './api-limits.ts';
import type { GithubPlanConfig } from './config.ts';
import type { DeploymentState } from './deployment.ts';
import { LIMITS } from './limits.ts';
import { standingKey } from './standing.ts';
import type { Standing } from './standing.ts';
import { isSelected, organisationOf, placed } from './target.ts';
import type { Placed } from './target.ts';

/** The repository of a workload, without its owner. */
export const REPOSITORY_ANNOTATION = 'github.lifecycle-bridge.io/repository';
/** Another environment for the Deployments of a workload. */
const ENVIRONMENT_ANNOTATION = 'github.lifecycle-bridge.io/environment';
/** Where people find what is deployed. */
const URL_ANNOTATION = 'github.lifecycle-bridge.io/environment-url';

export const DEPLOYMENT_ANNOTATIONS = [REPOSITORY_ANNOTATION, ENVIRONMENT_ANNOTATION, URL_ANNOTATION] as const;

/** What Deployments are made of. */
export const DEPLOYMENT_TRANSITIONS: readonly TransitionKind[] = ['run.started', 'run.ended'];

const MAX_ENVIRONMENT = 255;
const MAX_URL = 2_000;
const MAX_DESCRIPTION = 140;

const STATES: Readonly<Partial<Record<Outcome, DeploymentState>>> = {
  succeeded: 'success',
  failed: 'failure',
  cancelled: 'inactive',
  replaced: 'inactive',
  superseded: 'inactive',
  rolled_back: 'inactive',
  unknown: 'inactive',
};

type Workload = Extract<Facts, { kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' }>;
type PlacedWorkload = Placed<Workload>;

/** The GitHub Deployment of a rollout whose workload names a repository that gets them. */
export function planDeployments(transition: Transition, context: PlanContext, config: GithubPlanConfig): Planned {
  const { run } = context;
  const found = workloadOf(context);
  if (run === undefined || found === undefined) return null;
  const workload = placed(found, context, config);
  // What was opened is closed where it was opened, whatever the annotations and the settings say by then.
  const memo = placeSchema.safeParse(context.memo).data ?? firstPlace(workload, config);
  if (memo === null || 'drop' in memo) return memo;
  const state = transition.kind === 'run.started' ? 'in_progress' : STATES[transition.outcome ?? 'unknown'];
  if (state === undefined) return { drop: 'never_started' };
  const payload = {
    ...memo,
    description: short(`${workload.kind} ${workload.namespace}/${workload.name}, revision ${run.revision ?? '?'}`),
    run: run.uid,
    workload: idOf(workload, config),
    status: statusOf(transition, run, state, workload, config),
  };
  const intent = { key: `deployment/${transition.id}`, lane: `deployment/${run.uid}`, payload, limits: LIMITS };
  return { intents: [intent], memo };
}

/**
 * That a workload lives which has Deployments: when nothing claims it any more, the last of them is closed. Without its
 * annotation it still runs what was deployed: what stands stays as it is.
 */
export function planStanding(object: Facts, context: DesiredContext, config: GithubPlanConfig): Desired[] {
  if (!isWorkload(object)) return [];
  const workload = idOf(object, config);
  const key = standingKey({ workload });
  const repo = object.annotations[REPOSITORY_ANNOTATION];
  const of = placed(object, context, config);
  if (repo === undefined || !isDeployed(of, repo, config))
    return context.claims().some((claim) => claim.key === key) ? [{ key, wanted: HOLD }] : [];
  const wanted: Standing = { ...placeOf(of, config), repo, workload, state: 'rolled_out' };
  return [{ key, wanted: { ...wanted } }];
}

function idOf({ kind, namespace, name }: Workload, { cluster }: GithubPlanConfig): string {
  return `${cluster}/${kind}/${namespace}/${name}`;
}

function isWorkload(object: Facts | undefined): object is Workload {
  return object?.kind === 'Deployment' || object?.kind === 'StatefulSet' || object?.kind === 'DaemonSet';
}

function workloadOf(context: PlanContext): Workload | undefined {
  return [context.object(), ...context.owners()].find(isWorkload);
}

function isDeployed(workload: PlacedWorkload, repo: string, config: GithubPlanConfig): boolean {
  const { repositories } = config.deployments;
  return (
    REPOSITORY.test(repo) && (repositories.includes('*') || repositories.includes(repo)) && isSelected(workload, config)
  );
}

/** What is kept of a rollout from its start on. */
const placeSchema = z.object({ repo: z.string(), ref: z.string(), owner: z.string(), environment: z.string() });

/** Where the Deployment of a rollout is made, or why none is. */
function firstPlace(workload: PlacedWorkload, config: GithubPlanConfig) {
  const repo = workload.annotations[REPOSITORY_ANNOTATION];
  if (repo === undefined || config.deployments.repositories.length === 0) return null;
  if (!isDeployed(workload, repo, config)) return { drop: 'not_selected', once: true } as const;
  const ref = workload.sourceRevision;
  if (ref === undefined) return { drop: 'no_source_revision', once: true } as const;
  return { repo, ref, ...placeOf(workload, config) };
}

function placeOf(
  workload: PlacedWorkload,
  config: GithubPlanConfig,
): { readonly owner: string; readonly environment: string } {
  const { org, logical_environment } = organisationOf(workload, config);
  const named = workload.annotations[ENVIRONMENT_ANNOTATION];
  const environment =
    named !== undefined && isEnvironment(named) ? named : (config.deployments.environment ?? logical_environment);
  return { owner: org, environment };
}

function statusOf(
  { outcome, message, reason }: Transition,
  run: Run,
  state: DeploymentState,
  workload: Workload,
  { deployments, pageUrl }: GithubPlanConfig,
): Json {
  const logUrl = pageLink(pageUrl, 'runs', run.uid);
  const named = workload.annotations[URL_ANNOTATION];
  const url = named !== undefined && isUrl(named) ? named : deployments.environmentUrl;
  const words = [outcome?.replaceAll('_', ' ') ?? 'rolling out', message ?? reason].filter(Boolean).join(': ');
  return {
    state,
    description: short(words),
    ...(logUrl !== undefined && { log_url: logUrl }),
    ...(url !== undefined && { environment_url: url }),
  };
}

/** What is wrong with the annotations for Deployments; nothing of an object that has none. */
export function deploymentProblems({ annotations }: Facts): AnnotationProblem[] {
  const rules = [
    [REPOSITORY_ANNOTATION, (text: string) => REPOSITORY.test(text), 'the name of a repository, without owner'],
    [ENVIRONMENT_ANNOTATION, isEnvironment, `1 to ${MAX_ENVIRONMENT} characters`],
    [URL_ANNOTATION, isUrl, `an http or https URL, at most ${MAX_URL} characters`],
  ] as const;
  return rules.flatMap(([annotation, isAllowed, allowed]) => {
    const value = annotations[annotation];
    if (value === undefined || isAllowed(value)) return [];
    const used = annotation === REPOSITORY_ANNOTATION ? 'no Deployments' : 'what the destination is set to';
    return [{ annotation, value: Array.from(value).slice(0, 100).join(''), allowed, used }];
  });
}

function isEnvironment(text: string): boolean {
  return text.trim() === text && text !== '' && Array.from(text).length <= MAX_ENVIRONMENT;
}

function isUrl(text: string): boolean {
  return text.length <= MAX_URL && /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

function short(text: string): string {
  const characters = Array.from(text.replaceAll(/\s+/g, ' ').trim());
  return characters.length <= MAX_DESCRIPTION
    ? characters.join('')
    : `${characters.slice(0, MAX_DESCRIPTION - 1).join('')}…`;
}
