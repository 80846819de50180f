import { expect, it } from 'vitest';
import { z } from 'zod';
import { configured, runLinks, sinkSchemas } from '../index.ts';
import { otlpSchema } from './config.ts';
import { at, run, TRACE_ID } from './fixtures.ts';
import { linksOf } from './links.ts';

const ENDPOINT = 'http://collector:4317';
const settings = (links: object, more: object = {}) => otlpSchema.parse({ endpoint: ENDPOINT, links, ...more });
const NOW = at(500);

it('a link has the trace id of the run, its names and the time around it', () => {
  const trace = 'https://jaeger.example.com/trace/{traceId}';
  const logs =
    'https://logs/{cluster}?q={namespace}/{name}&w={workload}&k={kind}&u={uid}&from={from}&to={to}&a={fromTime}&b={toTime}#/?query=trace_id%3A{traceId}';
  expect(linksOf(run(), settings({ trace, logs }), 'eu & us', NOW)).toEqual([
    { label: 'trace', url: `https://jaeger.example.com/trace/${TRACE_ID}` },
    {
      label: 'logs',
      url:
        'https://logs/eu%20%26%20us?q=shop/report-29460600&w=report&k=Job&u=6f1f3c52-4c2e-4b6a-9a55-0123456789ab' +
        `&from=${at(-60)}&to=${at(1000)}&a=2026-01-05T09%3A59%3A00.000Z&b=2026-01-05T10%3A16%3A40.000Z#/?query=trace_id%3A${TRACE_ID}`,
    },
  ]);
  const running = run({ endedAt: undefined, status: 'running' });
  expect(linksOf(running, settings({ trace: 'http://x/{to}' }), 'c', NOW)[0]?.url).toBe(`http://x/${at(1400)}`);
});

it('a name cannot leave its place in the link', () => {
  const named = run({ name: '"><script>', namespace: '../..?a=b#c&{uid}' });
  const [link] = linksOf(named, settings({ trace: 'https://x/{namespace}/{name}' }), 'c', NOW);
  expect(link?.url).toBe('https://x/..%2F..%3Fa%3Db%23c%26%7Buid%7D/%22%3E%3Cscript%3E');
});

it.each([
  'javascript:alert(1)//{traceId}',
  'jaeger/trace/{traceId}',
  'https://user:secret@jaeger/{traceId}',
  'https://{namespace}.example.com/',
  'https://jaeger/{trace}',
  'https://jaeger/{traceId',
  'https://jaeger/{}',
  'https://jaeger/a b',
  'https://jaeger:99999/{traceId}',
  `https://jaeger/${'x'.repeat(2000)}`,
  '',
])('%s is not a template', (trace) => {
  const { success, error } = otlpSchema.safeParse({ endpoint: ENDPOINT, links: { trace } });
  expect(success).toBe(false);
  expect(error?.issues[0]?.path).toEqual(['links', 'trace']);
  expect(error?.issues[0]?.message).toContain('{traceId}');
});

it('only destinations that get the run have a link to it', () => {
  const trace = 'https://x/{traceId}';
  expect(linksOf(run(), settings({ trace }, { namespaces: ['other'] }), 'c', NOW)).toEqual([]);
  expect(linksOf(run(), settings({ trace }, { dryRun: true }), 'c', NOW)).toEqual([]);
  const given = { a: { endpoint: ENDPOINT, links: { trace } }, b: { endpoint: ENDPOINT } };
  const all = z.object(sinkSchemas).parse({ opentelemetry: given });
  expect(runLinks(all, 'c', () => NOW)(run())).toEqual([
    { destination: 'opentelemetry/a', label: 'trace', url: `https://x/${TRACE_ID}` },
  ]);
  expect(configured(all)).toHaveLength(2);
});
