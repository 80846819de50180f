import { describe, expect, it } from 'vitest';

import { loadConfig } from './load.ts';
import { configSchema } from './schema.ts';
import { problemsOf } from './config-errors.ts';
import { followedKinds } from './watch.ts';

const CRONITOR = { cronitor: { default: { apiKey: 'k' } } };
const kindsOf = (tree: object) => followedKinds(configSchema.parse(tree));

function problemOf(tree: object): string | undefined {
  const { error } = configSchema.safeParse(tree);
  const [problem] = error === undefined ? [] : problemsOf(error, configSchema, tree);
  return problem && `${problem.path}: ${problem.given}; ${problem.hint}`;
}

describe('what is followed', () => {
  it('is what the page always shows, with a destination that needs no more too', () => {
    expect(kindsOf({})).toEqual(['CronJob', 'Pod', 'Job']);
    expect(kindsOf(CRONITOR)).toEqual(['CronJob', 'Pod', 'Job']);
  });

  it('is also a kind that is kept for the page, with what it is judged with', () => {
    expect(kindsOf({ watch: { Deployment: true } })).toEqual(['CronJob', 'Deployment', 'ReplicaSet', 'Pod', 'Job']);
    expect(kindsOf({ watch: { Deployment: false, Pod: true } })).toEqual(['CronJob', 'Pod', 'Job']);
  });

  it('is also Namespaces where a destination or a route of it asks for their labels', () => {
    const sentry = { dsn: 'https://k@o1.ingest.sentry.io/1' };
    const github = { org: 'a', credential: 't', cluster: 'c', logicalEnvironment: 'e' };
    const namespaceSelector = { matchLabels: { team: 'a' } };
    const withRoute = { ...github, routes: [{ namespaceSelector, org: 'b' }] };
    expect(kindsOf({ github: { default: github } })).not.toContain('Namespace');
    expect(kindsOf({ github: { default: withRoute } })).toContain('Namespace');
    expect(kindsOf({ github: { default: { ...github, namespaceSelector } } })).toContain('Namespace');
    const scoped = { cluster: { scope: ['shop'] } };
    expect(problemOf({ ...scoped, github: { default: withRoute } })).toContain('github.default.routes: ');
    expect(problemOf({ ...scoped, sentry: { default: { ...sentry, namespaceSelector } } })).toContain(
      'a namespaceSelector needs cluster.scope: cluster',
    );
    expect(problemOf({ watch: { Namespace: false }, github: { default: withRoute } })).toContain(
      'allowed: true: github/default needs Namespaces',
    );
  });

  it('is nothing without a namespace where only namespaces are watched', () => {
    const toy = { cluster: { scope: ['shop'] }, watch: {} };
    expect(kindsOf({ ...toy, watch: { Node: false } })).toEqual(['CronJob', 'Pod', 'Job']);
    expect(kindsOf({ watch: { Namespace: true, Node: true } })).toEqual(['Namespace', 'Node', 'CronJob', 'Pod', 'Job']);
  });
});

describe('watch', () => {
  it.each(['STATEFULSET', 'STATEFUL_SET'])('is set by a variable too: …__WATCH__%s', (kind) => {
    const { watch } = loadConfig({ env: { [`LIFECYCLE_BRIDGE__WATCH__${kind}`]: 'true' } });
    expect(watch).toEqual({ StatefulSet: true });
  });

  it.each([
    [{ watch: { Job: false } }, 'watch.Job: false; allowed: true: CronJobs, Jobs and Pods are always followed'],
    [
      { watch: { Deployment: true, ReplicaSet: false } },
      'watch.ReplicaSet: false; allowed: true, or watch.Deployment: false: Deployments are judged with ReplicaSets',
    ],
    [
      { cluster: { scope: ['shop'] }, watch: { Node: true } },
      'watch.Node: true; allowed: false, or cluster.scope: cluster: a Node is in no namespace',
    ],
    [{ watch: { Deployments: true } }, 'watch.Deployments: unknown key; did you mean Deployment?'],
    [{ watch: { Deployment: 'yes' } }, 'watch.Deployment: "yes"; allowed: true, false'],
  ])('%j is refused', (tree, problem) => {
    expect(problemOf(tree)).toContain(problem);
  });
});
