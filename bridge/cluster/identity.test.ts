import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeApi } from './api.ts';
import { FakeApi } from './fake-api.ts';
import { readIdentity } from './identity.ts';

let fake: FakeApi;
let api: KubeApi;

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
});

afterEach(() => fake.stop());

describe('the identity of a cluster', () => {
  const { signal } = new AbortController();

  it('is the UIDs of kube-system and of the own namespace', async () => {
    const namespace = (name: string) => ({
      metadata: { uid: `uid-${name}`, name, namespace: '', resourceVersion: '1' },
    });
    fake.intercept = (path) => {
      const name = path.split('/').at(-1)!;
      return path.startsWith('/api/v1/namespaces/') ? { status: 200, body: namespace(name) } : undefined;
    };
    const expected = { kubeSystemUid: 'uid-kube-system', namespaceUid: 'uid-monitoring' };
    expect(await readIdentity(api, 'monitoring', signal)).toEqual({ identity: expected, complete: true });
  });

  it('is complete without what is forbidden, and not when the API does not answer', async () => {
    fake.intercept = () => ({ status: 403 });
    expect(await readIdentity(api, 'monitoring', signal)).toEqual({ identity: {}, complete: true });
    fake.intercept = () => 'reset';
    expect(await readIdentity(api, 'monitoring', signal)).toEqual({ identity: {}, complete: false });
  });
});
