import { appendFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** A node of the lite cluster. */
export const NODE = 'fake1';

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace?: string };
}

/** A log as a container runtime writes it; each line gets a time of its own. */
export interface LogFile {
  /** Time of the last line, in nanoseconds. */
  readonly at: bigint;
  /** `stdout F text`, as the runtime has it behind the time. */
  write(...lines: readonly string[]): void;
  /** As the kubelet does it. */
  rotate(): void;
  /** To the file that was moved away last. */
  writeToRotated(...lines: readonly string[]): void;
}

/** A folder as the kubelet has it in /var/log/pods. */
export class NodeLogs {
  readonly folder: string;
  #lines = 0;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  of({ metadata: { namespace = '', name, uid } }: Pod, container: string, restarts = 0): LogFile {
    const folder = join(this.folder, `${namespace}_${name}_${uid}`, container);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${restarts}.log`);
    let [at, rotations, rotated] = [0n, 0, ''];
    const append = (file: string, lines: readonly string[]): void => {
      const stamped = lines.map((line) => {
        this.#lines += 1;
        at = BigInt(Date.parse('2026-01-02T03:04:05Z')) * 1_000_000n + BigInt(this.#lines);
        return `2026-01-02T03:04:05.${String(this.#lines).padStart(9, '0')}Z ${line}\n`;
      });
      appendFileSync(file, stamped.join(''));
    };
    return {
      get at() {
        return at;
      },
      write: (...lines) => append(path, lines),
      rotate: () => {
        rotations += 1;
        rotated = `${path}.20260102-03040${rotations}`;
        renameSync(path, rotated);
      },
      writeToRotated: (...lines) => append(rotated, lines),
    };
  }
}

const template = (name: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': NODE },
    containers: [{ name: 'main', image: 'app:1' }],
  },
});

/** One of each kind that owns pods, all on one node, and a pod that nobody owns. */
export function workloads(): readonly object[] {
  const owner = (apiVersion: string, kind: string, name: string, spec: object): object => ({
    apiVersion,
    kind,
    metadata: { name },
    spec: { ...spec, selector: { matchLabels: { app: name } }, template: template(name) },
  });
  const job = (name: string): object => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { ...template(name).spec, restartPolicy: 'Never' } } },
  });
  return [
    job('report-29380415'),
    job('migrate-20260101'),
    owner('apps/v1', 'Deployment', 'web', { replicas: 1 }),
    owner('apps/v1', 'StatefulSet', 'db', { replicas: 1, serviceName: 'db' }),
    owner('apps/v1', 'DaemonSet', 'agent', {}),
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: template('bare').spec },
  ];
}
