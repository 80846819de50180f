import { describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { ContainerFacts, Observation, PodFacts, Termination } from '../kubernetes/observation.ts';
import type { PodState } from './pod-state.ts';
import { reducePod } from './pod.ts';

type Seen = Observation & { readonly facts: PodFacts };

/** What is reported of ends from records: `container/instance exit code`, and the state that is kept, as the store has it. */
function ends(records: readonly Seen[], before?: PodState): { readonly reported: string[]; readonly state: PodState } {
  let state = before;
  const reported = records.flatMap((record) => {
    const step = reducePod(state, record);
    state = JSON.parse(JSON.stringify(step.state)) as PodState;
    return step.transitions.flatMap(({ kind, id, container, reason }) =>
      kind === 'container.terminated'
        ? [`${id.split('/').slice(1, -1).join('/')} ${container?.exitCode} ${reason}`]
        : [],
    );
  });
  return { reported, state: state! };
}

let version = 200;
const pod = (main: Partial<ContainerFacts>, changes: Partial<PodFacts> = {}): Seen =>
  seen(podFacts({ resourceVersion: String(version++), phase: 'Running', containers: [container(main)], ...changes }));

const crash = (exitCode: number, seconds: number, containerId: string): Termination => ({
  ...terminated(exitCode, T0 + seconds * 1_000)!,
  containerId,
});
const lost: Termination = {
  ...terminated(137, T0, 'ContainerStatusUnknown')!,
  startedAt: undefined,
  finishedAt: undefined,
};
const creating = { reason: 'ContainerCreating', message: undefined };

describe('the end of a container that its node lost', () => {
  const reboot = pod({ restartCount: 1, waiting: creating, lastTerminated: lost });
  const runsAgain = pod({ restartCount: 1, runningSince: T0 + 60_000, lastTerminated: lost });
  const crashed = pod({ restartCount: 1, terminated: crash(3, 90, 'b'), lastTerminated: lost });

  it('is that of the instance before, so that the next real crash is reported too', () => {
    expect(ends([reboot, runsAgain, crashed]).reported).toEqual([
      'main/0 137 ContainerStatusUnknown',
      'main/1 3 Error',
    ]);
    expect(ends([crashed, reboot, runsAgain]).reported).toEqual([
      'main/0 137 ContainerStatusUnknown',
      'main/1 3 Error',
    ]);
  });

  it('is that of this instance while the pod is deleted: then kubelet does not count it', () => {
    const first = pod({ terminated: crash(1, 1, 'a') });
    const deleted = { restartCount: 1, waiting: creating, lastTerminated: lost };
    expect(ends([first, pod(deleted, { deletionAt: T0 + 90_000 })]).reported).toEqual([
      'main/0 1 Error',
      'main/1 137 ContainerStatusUnknown',
    ]);
  });

  it('is not reported again when the pod is deleted before the container starts again', () => {
    const deleted = { restartCount: 1, waiting: creating, lastTerminated: lost };
    expect(ends([reboot, pod(deleted, { deletionAt: T0 + 90_000 })]).reported).toEqual([
      'main/0 137 ContainerStatusUnknown',
    ]);
  });

  it('does not hide a crash after the restart count began at 0 again', () => {
    const again = pod({ restartCount: 0, terminated: crash(4, 120, 'c') });
    expect(ends([reboot, again, again]).reported).toEqual(['main/0 137 ContainerStatusUnknown', 'main/0/c 4 Error']);
  });
});

describe('a restart count that begins at 0 again', () => {
  const before = [
    pod({ terminated: crash(1, 1, 'a') }),
    pod({ restartCount: 1, terminated: crash(1, 9, 'b'), lastTerminated: crash(1, 1, 'a') }),
  ];
  const after = pod({ restartCount: 0, terminated: crash(7, 60, 'c') });

  it('hides no crash', () => {
    expect(ends([...before, after, after]).reported).toEqual(['main/0 1 Error', 'main/1 1 Error', 'main/0/c 7 Error']);
  });

  it('is not concluded from an old record', () => {
    expect(ends([...before, after, ...before]).reported).toHaveLength(3);
  });
});

describe('a container named like a property of every object', () => {
  it.each(['constructor', 'tostring', '__proto__'])('%s is one like any other', (name) => {
    const records = [pod({ name, terminated: crash(1, 1, 'a') }), pod({ name, terminated: crash(1, 1, 'a') })];
    expect(ends(records).reported).toEqual([`${name}/0 1 Error`]);
  });
});

describe('a container of a living pod that crashes for ever', () => {
  const loop = (n: number): Seen =>
    pod({
      restartCount: n,
      terminated: crash(1, n * 300, `id-${n}`),
      lastTerminated: n === 0 ? undefined : crash(1, (n - 1) * 300, `id-${n - 1}`),
    });
  const size = (state: PodState): number => JSON.stringify(state).length;

  it('is reported each time, and kept in no more bytes after 5,000 restarts than after ten', () => {
    const first = ends(Array.from({ length: 10 }, (_, n) => loop(n)));
    const rest = ends(
      Array.from({ length: 4_990 }, (_, n) => loop(n + 10)),
      first.state,
    );
    expect(rest.reported).toHaveLength(4_990);
    expect(size(rest.state)).toBeLessThan(size(first.state) + 100);
  });

  it('is reported of the ends that come late, once, as long as few stretches are missing', () => {
    const records = Array.from({ length: 30 }, (_, n) => pod({ restartCount: n, terminated: crash(1, n, `id-${n}`) }));
    const missing = records.filter((_, n) => n % 10 >= 7);
    const seenFirst = records.filter((_, n) => n % 10 < 7);
    const { reported, state } = ends(seenFirst);
    expect(reported).toHaveLength(21);
    expect(ends([...missing.toReversed(), ...records], state).reported).toHaveLength(9);
  });

  it('is kept in few bytes, whatever was missed between', () => {
    const sparse = Array.from({ length: 500 }, (_, n) =>
      pod({ restartCount: n * 3, terminated: crash(1, n, `i${n}`) }),
    );
    const { reported, state } = ends(sparse);
    expect(reported).toHaveLength(500);
    expect(size(state)).toBeLessThan(1_500);
  });
});
