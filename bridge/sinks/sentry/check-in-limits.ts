import type { Limit } from '../sink.ts';
import type { CheckIn } from './check-in.ts';
import type { Target } from './payload.ts';
import { targetKey } from './target.ts';

/**
 * Sentry takes six in a clock minute and drops the others after it has answered 200. With five in any 60 s no minute has a
 * seventh, whenever the vendor's begins and however late a request arrives there.
 */
export const A_MINUTE = 5;

/** The limit of all check-ins of one monitor in one environment. */
export function environmentLimit(target: Target, { monitor, environment }: CheckIn): Limit {
  return { key: environmentKey(target, monitor.slug, environment), perSecond: A_MINUTE / 60, burst: A_MINUTE };
}

export function environmentKey(target: Target, slug: string, environment: string): string {
  return `${targetKey(target)}/check-in/${slug}/${environment}`;
}
