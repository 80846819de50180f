import { beforeAll, describe, expect, it } from 'vitest';
import { readerOf } from '../../bridge/kubernetes/kinds.ts';
import { brief, Rollouts } from '../../bridge/lifecycle/testing/rollouts.ts';
import type { Transition } from '../../bridge/lifecycle/transition.ts';
import { decodeLogs } from '../../bridge/otlp/decode.ts';
import { levelsOf } from '../../bridge/otlp/levels.ts';
import { readRecord } from '../../bridge/otlp/records.ts';
import { readRequests } from '../otlp-client.ts';

/** What the rollouts of a real node tell, from the bytes that its Collector sent. */
const KEPT = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision', 'Pod'] as const;
const told: (Transition & { readonly of: string })[] = [];

beforeAll(async () => {
  const levels = levelsOf(KEPT);
  const read = readerOf(KEPT);
  const rollouts = new Rollouts();
  const names = new Map<string, string>();
  for (const request of await readRequests('test/fixtures/recordings/rollouts.bin.gz')) {
    for (const { body, observedAt = 0 } of decodeLogs(new Uint8Array(request), levels)) {
      const record = readRecord(body);
      const facts = record && read(record.object);
      if (record === undefined || facts === undefined) continue;
      names.set(facts.uid, facts.name);
      const transitions = rollouts.take({ facts, deleted: record.deleted, observedAt });
      told.push(...transitions.map((one) => ({ ...one, of: names.get(one.id.split('/')[0]!)! })));
    }
  }
});

const story = (name: string): string[] => told.filter(({ of }) => of === name).map(brief);
const find = (name: string, id: string) => told.find((one) => one.of === name && brief(one) === id);

describe('the rollouts of a real node, from the bytes of its Collector', () => {
  it('of a Deployment are each told once: rolled out, stuck on a bad image and failed, rolled back, overtaken, paused', () => {
    expect(story('web')).toEqual(
      [
        ['1/started', '1/progressing', '1/ended succeeded'],
        ['2/started', '2/progressing', '2/ended succeeded'],
        ['3/started', '3/progressing', '3/stuck/image', '3/ended failed'],
        ['4/started', '4/ended succeeded'],
        // Its environment was edited twice within a second.
        ['5/started', '5/progressing', '6/started', '5/ended superseded', '6/progressing', '6/ended succeeded'],
        // Changed while it was paused: rolled out when it was resumed.
        ['7/started', '7/progressing', '7/ended succeeded'],
        ['8/started', '8/progressing', '8/ended succeeded'],
        // Scaled to three before, which is none; to zero in the middle of the last one, and back to one.
        ['9/started', '9/progressing', '9/ended cancelled', '9/ended/corrected/succeeded succeeded'],
      ].flat(),
    );
  });

  it('of a StatefulSet end with a rollback that needed a pod deleted by hand, and with a partition', () => {
    expect(story('ledger')).toEqual(
      [
        ['1/started', '1/progressing', '1/ended succeeded'],
        ['2/started', '2/progressing', '2/ended succeeded'],
        ['3/started', '3/progressing', '3/stuck/image'],
        ['4/started', '4/progressing', '3/ended rolled_back', '4/ended succeeded'],
        ['5/started', '5/progressing', '5/ended succeeded'],
      ].flat(),
    );
  });

  it('of a DaemonSet end with a restart, and with pods that were deleted by hand', () => {
    expect(story('agent')).toEqual(
      [
        ['1/started', '1/progressing', '1/ended succeeded'],
        ['2/started', '2/progressing', '2/ended succeeded'],
        ['3/started', '3/progressing', '3/stuck/image'],
        ['4/started', '3/ended rolled_back', '4/progressing', '4/ended succeeded'],
        ['5/started', '5/progressing', '5/ended succeeded'],
        ['6/started', '6/progressing', '6/ended succeeded'],
      ].flat(),
    );
  });

  it('say what they do and why they wait', () => {
    expect(find('web', '3/started')?.text).toBe('rolls out revision 3: localhost/nowhere:1');
    expect(find('web', '3/stuck/image')).toMatchObject({
      reason: 'ErrImagePull',
      waiting: 'web',
      about: { kind: 'Pod', name: expect.stringMatching(/^web-/) },
      message: expect.stringContaining('localhost/nowhere:1'),
    });
    expect(find('web', '3/ended failed')?.text).toBe('revision 3 failed: ProgressDeadlineExceeded');
    expect(find('web', '4/started')?.text).toMatch(/^rolls out revision 4, back to web-\w+: localhost\/busybox:1$/);
    expect(find('web', '8/started')?.text).toBe('rolls out revision 8, a restart: localhost/busybox:1');
    expect(find('agent', '5/started')?.text).toBe('rolls out revision 5, a restart: localhost/busybox:1');
    expect(find('agent', '4/started')?.text).toMatch(/^rolls out revision 4, back to agent-\w+: localhost\/busybox:1$/);
  });

  it('have times that do not run backwards within a rollout, nor before it began', () => {
    for (const end of told.filter(({ outcome }) => outcome !== undefined)) {
      const [, revision] = end.id.split('/');
      const start = find(end.of, `${revision}/started`);
      expect(end.at).toBeGreaterThanOrEqual(start!.at);
    }
  });
});
