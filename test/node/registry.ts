import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterScript } from '../harness/cluster.ts';

/** A registry of images for one node, which knows it as HOST: what is pulled from it has digests as of any registry. */
export interface Registry {
  /** Makes HOST/REPOSITORY:TAG, an index of one image; returns its digest. Each has another one. */
  push(repository: string, tag: string): string;
  close(): Promise<void>;
}

interface Content {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Serves images with the files of an OCI archive; `hostIp` is this machine as the node sees it. */
export async function startRegistry(
  host: string,
  { cluster, hostIp, archive }: { readonly cluster: string; readonly hostIp: string; readonly archive: string },
): Promise<Registry> {
  /** By digest, and manifests by REPOSITORY:TAG too. */
  const contents = new Map<string, Content>();
  const keep = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    contents.set(digest, { type: mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  };
  const keepJson = (mediaType: string, value: object): Descriptor =>
    keep(mediaType, Buffer.from(JSON.stringify(value)));
  const base = readArchive(archive);
  const layers = base.layers.map(({ mediaType, bytes }) => keep(mediaType, bytes));
  const server = createServer(({ method, url = '' }, answer) => {
    const [, repository, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(url) ?? [];
    const content = contents.get(reference ?? '') ?? contents.get(`${repository}:${reference}`);
    const type = kind === 'blobs' ? 'application/octet-stream' : content?.type;
    answer.writeHead(content === undefined ? 404 : 200, {
      'content-type': type ?? 'text/plain',
      'content-length': content?.bytes.length ?? 0,
    });
    answer.end(method === 'HEAD' ? undefined : content?.bytes);
  }).listen(0, hostIp);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const folder = `/run/registries/${host}`;
  const hosts = `[host."http://${hostIp}:${port}"]\\ncapabilities = ["pull", "resolve"]\\n`;
  await clusterScript(
    cluster,
    'exec',
    '--',
    'sh',
    '-c',
    `mkdir -p ${folder} && printf '${hosts}' >${folder}/hosts.toml`,
  );
  return {
    push: (repository, tag) => {
      const config = keepJson(CONFIG, { ...base.config, author: `${repository}:${tag}` });
      const manifest = keepJson(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers });
      const { architecture, os } = base.config;
      const manifests = [{ ...manifest, platform: { architecture, os } }];
      const { digest } = keepJson(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests });
      contents.set(`${repository}:${tag}`, contents.get(digest)!);
      return digest;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Archive {
  readonly config: { readonly architecture: string; readonly os: string };
  readonly layers: readonly { readonly mediaType: string; readonly bytes: Buffer }[];
}

/** Configuration and layers of the one image in an OCI archive. */
function readArchive(archive: string): Archive {
  const folder = mkdtempSync(join(tmpdir(), 'registry-'));
  try {
    execFileSync('tar', ['-C', folder, '-xf', archive]);
    const bytesOf = ({ digest }: Descriptor): Buffer => readFileSync(join(folder, 'blobs', digest.replace(':', '/')));
    const jsonOf = (of: Descriptor): unknown => JSON.parse(bytesOf(of).toString());
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: [Descriptor] };
    const manifest = jsonOf(index.manifests[0]) as { config: Descriptor; layers: Descriptor[] };
    return {
      config: jsonOf(manifest.config) as Archive['config'],
      layers: manifest.layers.map((layer) => ({ mediaType: layer.mediaType, bytes: bytesOf(layer) })),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
