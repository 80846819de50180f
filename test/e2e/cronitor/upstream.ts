import { expect } from 'vitest';
import { cronJob } from '../workloads.ts';
import type { CronitorStage } from './stage.ts';

/** The CronJobs of the e2e test of cronitor-kubernetes 0.9, which are there before the agent starts. */
const NAMES: readonly (readonly [name: string, cronitor?: Readonly<Record<string, string>>])[] = [
  ['test-cronjob'],
  ['test-env-annotation', { env: 'staging' }],
  ['test-id-annotation', { 'cronitor-id': 'my-custom-id' }],
  ['test-name-annotation', { 'cronitor-name': 'my-custom-monitor-name' }],
  ['test-group-annotation', { 'cronitor-group': 'my-test-group' }],
  ['test-notify-annotation', { 'cronitor-notify': 'devops-slack, infra-teams' }],
  ['test-grace-seconds-annotation', { 'cronitor-grace-seconds': '305' }],
  ['eventrouter-test-croonjob-excluder', { exclude: 'true' }],
];

export const UPSTREAM = NAMES.map(([name, cronitor = {}]) =>
  cronJob({ name, cronitor, schedule: '*/1 * * * *', spec: { concurrencyPolicy: 'Forbid' }, pod: { run: '1s' } }),
);

/** What verify-e2e.sh asserts of the first request, and a little more. */
export function expectUpstream(stage: CronitorStage): void {
  const [put, ...others] = stage.vendors.requests.filter(({ method }) => method === 'PUT');
  expect(others).toEqual([]);
  expect(put).toMatchObject({ path: '/api/monitors?auto-discover=1', status: 200 });
  const monitors = JSON.parse(put!.body) as Record<string, unknown>[];
  expect(monitors).toHaveLength(7);
  const { namespace } = stage.kubes.upstream;
  for (const each of monitors) {
    expect(each).toMatchObject({ type: 'job', schedule: '*/1 * * * *' });
    expect(each['tags']).toEqual(['kubernetes', `kubernetes-namespace:${namespace}`]);
    expect(String(each['key'])).not.toMatch(/excluder/);
    expect(each['name']).toMatch(/^\S+\/test-[a-z-]+$|^my-custom-monitor-name$/);
  }
  expect(monitors.find(({ key }) => key === 'my-custom-id')?.['name']).toBe(`${namespace}/test-id-annotation`);
  const named = (name: string) => monitors.find((each) => each['name'] === `${namespace}/test-${name}-annotation`);
  expect(monitors.some(({ name }) => name === 'my-custom-monitor-name')).toBe(true);
  expect(named('group')).toMatchObject({ group: 'my-test-group' });
  expect(named('notify')).toMatchObject({ notify: ['devops-slack', 'infra-teams'] });
  expect(named('grace-seconds')).toMatchObject({ grace_seconds: 305 });
}
