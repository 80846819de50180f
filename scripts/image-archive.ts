import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * scripts/image-archive.ts NAME:TAG FOLDER OUT.tar ENTRYPOINT...: an OCI archive of one layer, FOLDER, for programs that need
 * nothing beside themselves. The same files make the same bytes. Whoever unpacks it finds files of root, and runs as 65532.
 */

const [name, folder, out, ...entrypoint] = process.argv.slice(2);
if (name === undefined || folder === undefined || out === undefined || entrypoint.length === 0)
  throw new Error('NAME:TAG FOLDER OUT.tar ENTRYPOINT... are needed');

const layout = mkdtempSync(join(dirname(out), 'layout.'));
try {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const layer = tar(folder, 'blobs/sha256/layer');
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'];
  const created = '1970-01-01T00:00:00Z';
  const config = blob('application/vnd.oci.image.config.v1+json', {
    architecture,
    os: 'linux',
    created,
    config: { User: '65532:65532', Entrypoint: entrypoint, Env: ['PATH=/usr/bin:/bin'], WorkingDir: '/' },
    history: [{ created, created_by: 'scripts/image-archive.ts' }],
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = blob(type, { schemaVersion: 2, mediaType: type, config, layers: [layer] });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
  const platform = { architecture, os: 'linux' };
  write('index.json', { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] });
  write('oci-layout', { imageLayoutVersion: '1.0.0' });
  pack(layout, out);
} finally {
  rmSync(layout, { recursive: true });
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function write(path: string, value: object): void {
  writeFileSync(join(layout, path), JSON.stringify(value));
}

function blob(mediaType: string, value: object): Descriptor {
  const text = JSON.stringify(value);
  const hash = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hash), text);
  return { mediaType, digest: `sha256:${hash}`, size: text.length };
}

function tar(from: string, to: string): Descriptor {
  const file = join(layout, to);
  pack(from, file);
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  execFileSync('mv', [file, join(dirname(file), hash)]);
  const { size } = statSync(join(dirname(file), hash));
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${hash}`, size };
}

function pack(from: string, to: string): void {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  execFileSync('tar', [...same, '-C', from, '-cf', to, '.']);
}
