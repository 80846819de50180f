import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';

/*
 * scripts/image-root.ts FOLDER: run by bridge/Dockerfile, in a checkout with production packages only. Makes FOLDER/root,
 * what the image has beside its base and Node, and FOLDER/data, an empty one for the store.
 */

const NODE = '/usr/local/bin/node';
/** What packages carry for people and compilers. */
const UNUSED = /\.(?:ts|mts|cts|map|md|markdown|flow)$/;
const MODULE = /(?<quote>['"])(?<path>\.{1,2}\/[^'"\n]*)\.ts\k<quote>/g;

const source = join(import.meta.dirname, '..');
const out = process.argv[2] ?? 'out';
const root = join(out, 'root');
const app = join(root, 'app');

const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string };
if (process.env['VERSION'] !== version) {
  throw new Error(`package.json says version ${version}: build with --build-arg VERSION=${version}`);
}

mkdirSync(join(out, 'data'), { recursive: true });
writeModules();
cpSync(join(source, 'bridge/web/assets'), join(app, 'bridge/web/assets'), { recursive: true });
for (const file of ['package.json', 'LICENSE']) cpSync(join(source, file), join(app, file));
cpSync(join(source, 'node_modules'), join(app, 'node_modules'), {
  recursive: true,
  filter: (path) => !UNUSED.test(path) && !path.endsWith('/.bin') && !path.endsWith('/.package-lock.json'),
});
writeFileSync(join(app, 'sbom.cdx.json'), billOfMaterials());
mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
symlinkSync('/app/bridge/main.js', join(root, 'usr/local/bin/lifecycle-bridge'));
copyLibrary('libatomic.so');

/**
 * main.ts and all that it reaches, threads and processes included, as Node would run them: types are blanks, so lines and
 * columns stay. Done here, Node does not load its remover of types, which each thread would pay for in memory.
 */
function writeModules(): void {
  const modules = new Set([join(source, 'bridge/main.ts')]);
  for (const file of modules) {
    const code = stripTypeScriptTypes(readFileSync(file, 'utf8'));
    for (const { groups } of code.matchAll(MODULE)) modules.add(join(dirname(file), `${groups?.['path']}.ts`));
    const target = join(app, relative(source, file)).replace(/ts$/, 'js');
    mkdirSync(dirname(target), { recursive: true });
    const text = code.replace(MODULE, '$<quote>$<path>.js$<quote>').replace('#!/usr/bin/env node', `#!${NODE}`);
    writeFileSync(target, text, { mode: 0o755 });
  }
}

/** CycloneDX: Node, which no package manager of the base knows, and every package that npm installed. */
function billOfMaterials(): string {
  const { packages } = JSON.parse(readFileSync(join(source, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { version: string; license?: string }>>;
  };
  const npm = Object.entries(packages).map(([path, { version, license }]) => {
    const name = path.replace(/^.*node_modules\//, '');
    const licenses = license === undefined ? [] : [{ expression: license }];
    return { type: 'library', name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}`, licenses };
  });
  const at = process.versions.node;
  const node = { type: 'platform', name: 'node', version: at, purl: `pkg:generic/node@${at}`, licenses: [] };
  const metadata = { component: { type: 'application', name: 'lifecycle-bridge', version } };
  return JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata,
    components: [node, ...npm],
  });
}

/** A library that Node is linked against and that is missing from minimal bases. */
function copyLibrary(name: string): void {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  for (const file of sharedObjects.filter((path) => path.includes(`/${name}`))) {
    const target = join(root, 'usr', file.replace(/^\/usr\//, '/'));
    mkdirSync(dirname(target), { recursive: true });
    if (!existsSync(target)) copyFileSync(file, target);
  }
}
