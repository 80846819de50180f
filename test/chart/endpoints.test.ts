import { beforeAll, expect, it } from 'vitest';
import { packageChart, refusal, render } from './helm.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

it.each([
  ['otlp', 'fd00::1:4317', 'fd00::1:4317: with exporter otlp (gRPC) it is a host with a port'],
  ['otlp', 'otel:65536', 'otel:65536: with exporter otlp (gRPC) it is a host with a port'],
  ['otlp', 'öl:4317', 'öl:4317: with exporter otlp (gRPC) it is a host with a port'],
  [
    'otlphttp',
    'https://user:pass@otel:4318',
    'https://<redacted>@otel:4318: with exporter otlphttp it is a URL without',
  ],
  ['otlphttp', 'https://user:pa/ss@otel', 'https://<redacted>@otel: with exporter otlphttp'],
  ['otlp', 'https://user:pa@ss@otel:4317', 'https://<redacted>@otel:4317: with exporter otlp (gRPC)'],
  ['otlp', 'user:pass@otel:4317', '<redacted>@otel:4317: with exporter otlp (gRPC)'],
])('the backend %s at %s, with which no Collector starts, is refused', async (exporter, endpoint, words) => {
  expect(await refusal(chart, { backend: { exporter, endpoint } })).toContain(`backend.endpoint is ${words}`);
});

it('the bundled backend beside one with a user and a password is refused without showing these', async () => {
  const backend = { exporter: 'otlp', endpoint: 'https://user:pass@otel:4317' };
  expect(await refusal(chart, { backend, 'bundled-backend': { enabled: true } })).toContain(
    'away from backend.endpoint (https://<redacted>@otel:4317): set',
  );
});

it('a backend may have an IPv6 address', async () => {
  expect(await render(chart, { backend: { exporter: 'otlp', endpoint: '[fd00::1]:4317' } })).not.toEqual([]);
});

it.each([{}, { backend: { exporter: 'debug', traces: false } }])(
  'a destination of OpenTelemetry without an endpoint is refused where the Collector passes nothing on: %j',
  async (values) => {
    expect(await refusal(chart, { ...values, opentelemetry: { mine: {} } })).toContain(
      'opentelemetry.mine has no endpoint, and the Collector of this release passes on neither traces nor logs: set',
    );
  },
);
