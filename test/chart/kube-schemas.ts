import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Tree } from './helm.ts';

const run = promisify(execFile);
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lifecycle-bridge/openapi');

/** A patch release of every minor release that the chart is for. */
export const KUBERNETES = ['1.30.14', '1.31.14', '1.32.13', '1.33.13', '1.34.4', '1.35.4', '1.36.3'] as const;

interface Document {
  readonly definitions: Readonly<Record<string, Tree>>;
}

/**
 * A folder of JSON schemas for kubeconform, for these kinds (`apps/v1 StatefulSet`). They are made of the OpenAPI
 * document in the Go module of Kubernetes, whose checksum Go verifies: published schemas would need the internet.
 */
export async function schemaFolder(version: string, kinds: ReadonlySet<string>, folder: string): Promise<string> {
  const { definitions } = JSON.parse(readFileSync(await openApi(version), 'utf8')) as Document;
  const target = join(folder, version);
  mkdirSync(target, { recursive: true });
  for (const [name, schema] of Object.entries(definitions))
    for (const gvk of (schema['x-kubernetes-group-version-kind'] as readonly Record<string, string>[] | undefined) ??
      []) {
      const apiVersion = [gvk['group'], gvk['version']].filter(Boolean).join('/');
      if (!kinds.has(`${apiVersion} ${gvk['kind']}`)) continue;
      const group = gvk['group']?.split('.')[0];
      const file = [gvk['kind']?.toLowerCase(), group, gvk['version']].filter(Boolean).join('-');
      writeFileSync(
        join(target, `${file}.json`),
        JSON.stringify({ ...convert(name, schema), definitions: reachable(schema, definitions) }),
      );
    }
  return target;
}

async function openApi(version: string): Promise<string> {
  const file = join(cache, `${version}.json`);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const modules = mkdtempSync(join(tmpdir(), 'kubernetes-module-'));
  try {
    const env = { ...process.env, GOMODCACHE: modules, GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local', GOWORK: 'off' };
    const { stdout } = await run('go', ['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], {
      env,
      cwd: modules,
    });
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    copyFileSync(join(Dir, 'api/openapi-spec/swagger.json'), `${file}.${process.pid}`);
    renameSync(`${file}.${process.pid}`, file);
  } finally {
    rmSync(modules, { recursive: true, force: true });
  }
  return file;
}

/** The definitions that a schema needs, converted. */
function reachable(schema: Tree, definitions: Document['definitions']): Tree {
  const found = new Map<string, Tree>();
  const search = (text: string): void => {
    for (const [, name = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) {
      const definition = definitions[name];
      if (definition === undefined || found.has(name)) continue;
      found.set(name, convert(name, definition));
      search(JSON.stringify(definition));
    }
  };
  search(JSON.stringify(schema));
  return Object.fromEntries(found);
}

/** As JSON Schema, closed: a field that the API server would drop is an error. */
function convert(name: string, schema: Tree): Tree {
  if (name.endsWith('.Quantity')) return { type: ['string', 'number'] };
  if (name.endsWith('.IntOrString')) return { type: ['string', 'integer'] };
  return closed(schema);
}

function closed(schema: Tree): Tree {
  if (typeof schema['$ref'] === 'string') return { $ref: schema['$ref'] };
  const { type, required, properties, items, additionalProperties } = schema;
  const each = (inner: unknown): Tree =>
    Object.fromEntries(Object.entries(inner as Tree).map(([key, value]) => [key, closed(value as Tree)]));
  return {
    ...(type !== undefined && { type }),
    ...(required !== undefined && { required }),
    ...(properties !== undefined && { properties: each(properties), additionalProperties: false }),
    ...(items !== undefined && { items: closed(items as Tree) }),
    ...(additionalProperties !== undefined && { additionalProperties: closed(additionalProperties as Tree) }),
  };
}
