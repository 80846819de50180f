import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageChart, one, render, type Tree, UMBRELLA } from './helm.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

const made = async (dashboard: Tree) => one(await render(chart, { dashboard }), 'ConfigMap', 'lb-dashboard');

describe('the ConfigMap of the dashboard', () => {
  it('holds the file as it is, under the label that the sidecar of Grafana looks for', async () => {
    const { data, metadata } = await made({ enabled: true });
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1', 'app.kubernetes.io/instance': 'lb' });
    expect(metadata.annotations).toBeUndefined();
    const text = (data as Tree)['lifecycle-bridge.json'];
    expect(JSON.parse(String(text))).toEqual(JSON.parse(readFileSync(join(UMBRELLA, 'files/dashboard.json'), 'utf8')));
  });

  it('has the folder and the labels of one’s own', async () => {
    const given = { labels: { grafana_dashboard: null, team: 'a' }, annotations: { owner: 'b' }, folder: 'Jobs' };
    const { metadata } = await made({ enabled: true, ...given });
    expect(metadata.labels).toMatchObject({ team: 'a' });
    expect(metadata.labels).not.toHaveProperty('grafana_dashboard');
    expect(metadata.annotations).toEqual({ owner: 'b', grafana_folder: 'Jobs' });
  });

  it('is not there by default', async () => {
    await expect(made({})).rejects.toThrow('0 of ConfigMap lb-dashboard');
  });
});
