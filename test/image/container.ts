import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an image says of itself, and its files. */
export interface Image {
  /** As a node knows it after an import. */
  readonly name: string;
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly Cmd?: readonly string[];
  };
  readonly architecture: string;
  /** The folder of its unpacked layers. */
  readonly root: string;
}

interface IndexEntry {
  readonly digest: string;
  readonly annotations: { readonly 'org.opencontainers.image.ref.name': string };
}

/** Unpacks an OCI archive with one image into `folder`. */
export function unpack(archive: string, folder: string): Image {
  const [layout, root] = [join(folder, 'layout'), join(folder, 'root')];
  for (const path of [layout, root]) mkdirSync(path, { recursive: true });
  execFileSync('tar', ['xf', archive, '-C', layout]);
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const index = json(join(layout, 'index.json')) as { manifests: [IndexEntry] };
  const manifest = json(blob(index.manifests[0].digest)) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  for (const { digest } of manifest.layers) execFileSync('tar', ['xpf', blob(digest), '-C', root, '--numeric-owner']);
  const name = index.manifests[0].annotations['org.opencontainers.image.ref.name'];
  return { ...(json(blob(manifest.config.digest)) as Omit<Image, 'name' | 'root'>), name, root };
}

/** A command in the image, as a node would start it: by its entry point, as its user, with a read-only root. */
export interface Container {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Waits for its end; returns the exit code. */
  ended(): Promise<number | null>;
}

const MOUNT = `set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
for each in proc dev; do mount --rbind /$each "$1/$each"; done
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount --bind "$2" "$1/var/lib/lifecycle-bridge"
user=$3 root=$1
shift 3
exec chroot --userspec="$user" --groups="\${user#*:}" "$root" "$@"`;

/** Starts `args` in a mount namespace of its own; `data` is the volume of the store. Needs root. */
export function start(
  { root, config }: Image,
  args: readonly string[],
  data: string,
  settings: Readonly<Record<string, string>> = {},
): Container {
  for (const path of [data, join(root, 'proc'), join(root, 'dev')]) mkdirSync(path, { recursive: true });
  chownSync(data, 65532, 65532);
  const given = Object.fromEntries(config.Env.map((each) => each.split('=', 2) as [string, string]));
  const variables = Object.entries(settings).map(([name, value]) => [`LIFECYCLE_BRIDGE__${name}`, value]);
  const env = { ...given, PATH: `${given['PATH']}:/usr/sbin:/sbin`, ...Object.fromEntries(variables) };
  const command = [...config.Entrypoint, ...args];
  const child = spawn('unshare', ['--mount', 'sh', '-c', MOUNT, 'sh', root, data, config.User, ...command], { env });
  process.on('exit', () => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const closed = once(child, 'close');
  return {
    child,
    output: () => output,
    ended: async () => ((await closed) as [number | null])[0],
  };
}
