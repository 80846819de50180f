import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { configSchema } from '../../config/schema.ts';
import { POD_TIME_CONTROLLER } from './pod-time-controller.ts';
import { printNotes, printValues, valuesOf } from './print.ts';
import { translate } from './rules.ts';
import { fromArguments, fromValuesText } from './sources.ts';

const made = (old: object) =>
  translate(POD_TIME_CONTROLLER, fromValuesText(POD_TIME_CONTROLLER, stringify(old), 'old.yaml'), {});

it('its chart without values becomes a destination that does the same, in all namespaces', () => {
  const draft = made({});
  expect(valuesOf(draft)).toEqual({
    scope: 'cluster',
    kubernetes: { default: { trigger: 'addtime', result: 'timestamp' } },
  });
  const { kubernetes } = configSchema.parse({ kubernetes: valuesOf(draft)['kubernetes'] });
  expect(kubernetes['default']).toMatchObject({ timeZone: 'UTC', value: 'observed' });
  expect(printValues(POD_TIME_CONTROLLER, draft, 'old.yaml')).toContain('migrate-from pod-time-controller');
  expect(printNotes(draft)).toContain('kubernetes.default.over is write');
});

it.each<[string, object, object]>([
  ['podAnnotations', { podAnnotations: { a: 'b' } }, { bridge: { podAnnotations: { a: 'b' } } }],
  ['nodeSelector', { nodeSelector: { disk: 'ssd' } }, { bridge: { nodeSelector: { disk: 'ssd' } } }],
  ['tolerations', { tolerations: [{ key: 'x' }] }, { bridge: { tolerations: [{ key: 'x' }] } }],
  [
    'an account of others',
    { serviceAccount: { create: false, name: 'sa', annotations: { c: 'd' } } },
    { bridge: { serviceAccount: { create: false, name: 'sa', annotations: { c: 'd' } } } },
  ],
  [
    'its part in another chart',
    { 'pod-time-controller': { podAnnotations: { a: 'b' } } },
    { bridge: { podAnnotations: { a: 'b' } } },
  ],
])('%s is taken over', (_, old, ours) => {
  expect(valuesOf(made(old))).toMatchObject(ours);
});

it.each<[string, object]>([
  ['image.tag', { image: { tag: '0.0.2' } }],
  ['imagePullSecrets', { imagePullSecrets: [{ name: 'r' }] }],
  ['clusterRole.create', { clusterRole: { create: false } }],
  ['replicaCount', { replicaCount: 2 }],
  ['fullnameOverride', { fullnameOverride: 'x' }],
  ['unknownValue', { unknownValue: 1, nodeSelector: { a: 'b' } }],
])('%s has no equivalent, and that is said', (source, old) => {
  expect(printNotes(made(old))).toContain(`${source}: `);
});

it.each<[string[], unknown]>([
  [['/pod-time-controller', '-debug'], 'debug'],
  [['--debug'], 'debug'],
  [['-debug=false'], undefined],
  [['-kubeconfig', '/k', '-debug'], 'debug'],
])('of the arguments %o the level of the log is %o', (args, level) => {
  const draft = translate(POD_TIME_CONTROLLER, fromArguments(POD_TIME_CONTROLLER, args), {});
  expect(draft.get('bridge.config.log.level')).toBe(level);
});

it('docs/timestamp.md says what becomes of every value and flag, and of no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/timestamp.md'), 'utf8');
  const [, table = ''] = /<!-- old settings -->([^]*)<!-- \/old settings -->/.exec(text) ?? [];
  const first = table.split('\n').map((row) => row.split('|')[1] ?? '');
  const names = first.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  expect(names.toSorted()).toEqual(Object.keys(POD_TIME_CONTROLLER.rules).toSorted());
});

it('what its flags did not take is refused', () => {
  const draft = translate(POD_TIME_CONTROLLER, fromArguments(POD_TIME_CONTROLLER, ['-debug=maybe']), {});
  expect(draft.refusals).toEqual([{ source: '-debug', given: '"maybe"', allowed: 'true, false' }]);
});
