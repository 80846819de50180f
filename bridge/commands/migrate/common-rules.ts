import type { Rule } from './draft.ts';

export type Translate = Rule['translate'];

export const OTHER_IMAGE =
  'not taken over: the bridge has an image of its own, which must be given (bridge.image.repository)';
export const OWN_ROLES = 'not taken over: the chart makes its own Roles, listed in PERMISSIONS.md';
export const ONE_REPLICA = 'not taken over: the bridge is one, and its store has a lock';

/** Nothing is to be done. */
export function said(text: string): Translate {
  return ({ source }, draft) => draft.note(source, text);
}

export function noted(text: string, standard?: unknown): Rule {
  return { standard, translate: said(text) };
}

/** A person has to do something. */
export function asked(text: string): Rule {
  return { translate: ({ source }, draft) => draft.todo(source, text) };
}

/** Our chart has it for the pod of the bridge, under the same name. */
export const asItIs: Rule = {
  translate: ({ source, value }, draft) => draft.set(`bridge.${source}`, value, `from ${source}`),
};

export const KUBECONFIG = asked(
  'not taken over: in a cluster the pod has its account; outside set cluster.kubeconfig or KUBECONFIG',
);
