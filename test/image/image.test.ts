import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { until } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { type Container, type Image, start, unpack } from './container.ts';

const repository = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bridge-image-'));
const data = join(folder, 'data');
/** Built again only when what it is made of has changed. */
const makeAll = () => promisify(execFile)(join(repository, 'scripts/image'), ['--all'], { maxBuffer: 2 ** 24 });
let archives: readonly string[];
let image: Image;

beforeAll(async () => {
  archives = (await makeAll()).stdout.trim().split('\n');
  image = unpack(archives[0]!, folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = (path: string): string[] => readdirSync(join(image.root, path), { recursive: true, encoding: 'utf8' });

describe('the image', () => {
  it('is built without a Docker engine, and small', () => {
    expect(statSync(archives[0]!).size).toBeLessThan(80e6);
  });

  it('says its name, license, version and commit, the version that of package.json', () => {
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'lifecycle-bridge',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': manifest.version,
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    expect(image.architecture).toBe({ x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64']);
  });

  it('runs as a user without rights and takes the commands of the bridge as arguments', () => {
    expect(image.config).toMatchObject({ User: '65532:65532', Entrypoint: ['lifecycle-bridge'] });
    expect(image.config.Cmd ?? []).toEqual([]);
    expect(statSync(join(image.root, 'var/lib/lifecycle-bridge')).uid).toBe(65532);
  });

  it('holds Node and the bridge, and no shell', () => {
    expect(readdirSync(join(image.root, 'usr/local/bin')).sort()).toEqual(['lifecycle-bridge', 'node']);
    expect(['bin', 'sbin', 'usr/bin', 'usr/sbin'].filter((path) => existsSync(join(image.root, path)))).toEqual([]);
    expect(readFileSync(join(image.root, 'app/bridge/main.js'), 'utf8')).toMatch(/^#!\/usr\/local\/bin\/node\n/);
  });

  it('holds the packages of production with their licenses, the same as its bill of materials, and no other', () => {
    const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; dev?: true; optional?: true; devOptional?: true; peer?: true }>;
    };
    const wanted = Object.entries(packages).filter(
      ([path, { dev, optional, devOptional, peer }]) => path !== '' && !(dev ?? optional ?? devOptional ?? peer),
    );
    const found = Object.keys(packages).filter((path) => path !== '' && existsSync(join(image.root, 'app', path)));
    expect(found.sort()).toEqual(wanted.map(([path]) => path).sort());
    expect(existsSync(join(image.root, 'app/node_modules/express/LICENSE'))).toBe(true);
    const bill = JSON.parse(readFileSync(join(image.root, 'app/sbom.cdx.json'), 'utf8')) as {
      components: { name: string; version: string }[];
    };
    const named = wanted.map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
    expect(new Set(bill.components.map(({ name, version }) => `${name}@${version}`))).toEqual(
      new Set([`node@${process.versions.node}`, ...named]),
    );
  });

  it('holds no TypeScript, no test, and nothing of the machine that built it', () => {
    expect(files('app').filter((path) => /\.(?:ts|map)$/.test(path))).toEqual([]);
    expect(files('app/bridge').filter((path) => /\.test\.|fake-|fixture/.test(path))).toEqual([]);
    const all = files('.').filter((path) => !path.startsWith('app/node_modules/'));
    expect(all.filter((path) => /npmrc|\.npm\/|npm-ca|package-lock|\.git/.test(path))).toEqual([]);
  });
});

describe('scripts/image --all', () => {
  it('makes what a node without a registry needs, each with its entry point, and makes nothing twice', async () => {
    expect(await makeAll()).toEqual({ stdout: `${archives.join('\n')}\n`, stderr: '' });
    const found = archives.map((path, index) => unpack(path, join(folder, String(index))));
    expect(found.map(({ name, config }) => [name, config.User, ...config.Entrypoint])).toEqual([
      [`docker.io/library/lifecycle-bridge:${manifest.version}`, '65532:65532', 'lifecycle-bridge'],
      ['localhost/otelcol-k8s:0.111.0', '65532:65532', '/otelcol-k8s'],
      ['localhost/kube-state-metrics:v2.18.0', '65532:65532', '/kube-state-metrics'],
      ['localhost/busybox:1', '65532:65532', '/bin/busybox'],
    ]);
    const [, , , busybox] = found;
    const { stdout: said } = await promisify(execFile)(join(busybox!.root, 'bin/busybox'), ['sh', '-c', 'echo here']);
    expect(said).toBe('here\n');
  });
});

describe.skipIf(process.getuid?.() !== 0)(
  'the bridge in the image, on a read-only root as user 65532 (needs root)',
  () => {
    const run = async (args: readonly string[], settings: Readonly<Record<string, string>> = {}) => {
      const container = start(image, args, data, settings);
      return { code: await container.ended(), output: container.output() };
    };
    const ports = async () => ({ OTLP__PORT: String(await freePort()), WEB__PORT: String(await freePort()) });

    it('prints its version', async () => {
      expect(await run(['version'])).toEqual({ code: 0, output: `${manifest.version}\n` });
    });

    it('cannot write into its own files', async () => {
      const { code, output } = await run(['record', '/app/recording']);
      expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/EROFS|read-only/) as string });
    });

    it('checks its configuration, its store and the API of a kubeconfig', async () => {
      const alone = await run(['check'], { CLUSTER__LIST: 'false', ...(await ports()) });
      expect(alone).toEqual({ code: 0, output: expect.stringContaining('All checks passed.') as string });
      const closed = `https://127.0.0.1:${await freePort()}`;
      const kubeconfig = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        clusters: [{ name: 'x', cluster: { server: closed } }],
        users: [{ name: 'x', user: { token: 'x' } }],
      };
      writeFileSync(join(data, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o644 });
      const settings = { CLUSTER__KUBECONFIG: '/var/lib/lifecycle-bridge/kubeconfig', ...(await ports()) };
      const refused = await run(['check'], settings);
      expect(refused).toEqual({ code: 1, output: expect.stringContaining(closed.slice('https://'.length)) as string });
    });

    it('replays a recorded stream over gRPC', async () => {
      cpSync(join(repository, 'test/fixtures/recordings/node.bin.gz'), join(data, 'node.bin.gz'));
      const { code, output } = await run(['replay', '/var/lib/lifecycle-bridge/node.bin.gz'], await ports());
      expect(output).toContain('runs succeeded: 8');
      expect(code).toBe(0);
    });

    it('runs, answers its probes and page, copies its store meanwhile, and ends in order', async () => {
      const settings = { CLUSTER__LIST: 'false', ...(await ports()) };
      const bridge = start(image, ['run'], data, settings);
      const page = `http://127.0.0.1:${settings.WEB__PORT}`;
      await until('/livez answers', () => answers(bridge, `${page}/livez`));
      const pages = await Promise.all(
        ['/', '/assets/page.js', '/assets/idiomorph.js', '/metrics'].map((path) => fetch(page + path)),
      );
      expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const status = readFileSync(`/proc/${bridge.child.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\s+65532\s+65532/m);
      console.info(`${/VmRSS:\s+(\d+)/.exec(status)?.[1]} KiB RSS when idle`);
      expect((await run(['backup', '/var/lib/lifecycle-bridge/copy.db'])).code).toBe(0);
      expect(statSync(join(data, 'copy.db')).size).toBeGreaterThan(0);
      bridge.child.kill('SIGTERM');
      expect(await bridge.ended()).toBe(0);
    });
  },
);

async function answers(bridge: Container, url: string): Promise<boolean> {
  if (bridge.child.exitCode !== null) throw new Error(`the bridge ended: ${bridge.output()}`);
  return (await fetch(url).catch(() => undefined))?.ok === true;
}
