import { beforeAll, describe, expect, it } from 'vitest';
import { readerOf } from '../../bridge/kubernetes/kinds.ts';
import { brief, Rollouts } from '../../bridge/lifecycle/testing/rollouts.ts';
import type { Transition } from '../../bridge/lifecycle/transition.ts';
import { decodeLogs } from '../../bridge/otlp/decode/decode.ts';
import { levelsOf } from '../../bridge/otlp/decode/levels.ts';
import { readRecord } from '../../bridge/otlp/decode/records.ts';
import { readRequests } from '../otlp-client.ts';

/** What is reported of the rollouts of a real node, from the bytes that its Collector sent. */
const KEPT = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision', 'Pod'] as const;
type Reported = Transition & { readonly of: string };
let reported: readonly Reported[];
let odd: readonly Reported[];

beforeAll(async () => {
  reported = await replay('rollouts');
  odd = await replay('rollouts-odd');
});

async function replay(name: string): Promise<Reported[]> {
  const levels = levelsOf(KEPT);
  const read = readerOf(KEPT);
  const rollouts = new Rollouts();
  const names = new Map<string, string>();
  const all: Reported[] = [];
  for (const request of await readRequests(`test/fixtures/recordings/${name}.bin.gz`)) {
    for (const { body, observedAt = 0 } of decodeLogs(new Uint8Array(request), levels)) {
      const record = readRecord(body);
      const facts = record && read(record.object);
      if (record === undefined || facts === undefined) continue;
      names.set(facts.uid, facts.name);
      const transitions = rollouts.take({ facts, deleted: record.deleted, observedAt });
      all.push(...transitions.map((one) => ({ ...one, of: names.get(one.id.split('/')[0]!)! })));
    }
  }
  return all;
}

const story = (name: string, all = reported): string[] => all.filter(({ of }) => of === name).map(brief);
const find = (name: string, id: string) => reported.find((one) => one.of === name && brief(one) === id);

describe('the rollouts of a real node, from the bytes of its Collector', () => {
  it('of a Deployment are each reported once: rolled out, stuck on a bad image and failed, rolled back, overtaken, paused', () => {
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
    for (const end of reported.filter(({ outcome }) => outcome !== undefined)) {
      const [, revision] = end.id.split('/');
      const start = find(end.of, `${revision}/started`);
      expect(end.at).toBeGreaterThanOrEqual(start!.at);
    }
  });
});

describe('less ordinary rollouts of a real node', () => {
  const up = (revision: number): string[] => [
    `${revision}/started`,
    `${revision}/progressing`,
    `${revision}/ended succeeded`,
  ];

  it('of a Deployment with Recreate are each reported once', () => {
    expect(story('recreate', odd)).toEqual(
      [
        up(1),
        up(2),
        // A quota held it up before its image did.
        ['3/started', '3/stuck/create', '3/progressing', '3/unstuck/create', '3/stuck/image', '3/ended failed'],
        up(4),
      ].flat(),
    );
  });

  it('of a Deployment without a deadline end by its counts', () => {
    expect(story('endless', odd)).toEqual(
      [
        up(1),
        up(2),
        [
          '3/started',
          '3/progressing',
          '3/stuck/image',
          '4/started',
          '3/ended rolled_back',
          '4/progressing',
          '4/ended succeeded',
        ],
        ['5/started', '5/stuck/create', '5/progressing', '5/unstuck/create', '5/ended succeeded'],
      ].flat(),
    );
  });

  it('of a Deployment that is paused, taken back and deleted in the middle say so', () => {
    expect(story('midway', odd)).toEqual(
      [
        up(1),
        [
          '2/started',
          '2/progressing',
          '2/suspended/1',
          '2/resumed/1',
          '2/stuck/create',
          '2/unstuck/create',
          '2/ended succeeded',
        ],
        ['3/started', '3/progressing', '4/started', '3/ended rolled_back', '4/progressing', '4/ended succeeded'],
        ['5/started', '5/progressing', '5/ended cancelled'],
      ].flat(),
    );
  });

  it('of a StatefulSet that is changed before it is up are overtaken, and end when it is scaled to zero or deleted', () => {
    expect(story('parallel', odd).filter((one) => !one.endsWith('progressing'))).toEqual(
      [
        [
          '1/started',
          '1/ended succeeded',
          '2/started',
          '3/started',
          '2/ended superseded',
          '4/started',
          '3/ended superseded',
        ],
        ['5/started', '4/ended rolled_back', '6/started', '5/ended rolled_back', '7/started', '6/ended superseded'],
        ['7/ended cancelled', '8/started', '8/ended cancelled'],
      ].flat(),
    );
  });

  it('of a DaemonSet are over when no node fits, and cancelled with it', () => {
    expect(story('surge', odd).filter((one) => !one.endsWith('progressing'))).toEqual(
      [
        [
          '1/started',
          '1/ended succeeded',
          '2/started',
          '2/ended succeeded',
          '3/started',
          '4/started',
          '3/ended superseded',
        ],
        ['4/ended succeeded', '5/started', '5/ended succeeded', '6/started', '6/ended succeeded'],
        ['7/started', '7/stuck/image', '7/ended cancelled'],
      ].flat(),
    );
  });
});
