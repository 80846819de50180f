import { expect, it } from 'vitest';
import { planConfig } from './fixtures.ts';
import { heartbeatMonitor } from './plan-heartbeat.ts';

it('the monitor of the bridge links to its page, where the address of that is known', () => {
  const config = planConfig({ heartbeat: {} });
  const noteOf = (pageUrl?: string) =>
    (heartbeatMonitor(config.heartbeat!, { ...config, pageUrl }).wanted as { note: string }).note;
  expect(noteOf('https://bridge.example.com')).toMatch(/in the cluster\. Its page: https:\/\/bridge\.example\.com$/);
  expect(noteOf()).toMatch(/in the cluster\.$/);
});
