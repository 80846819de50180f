import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { tool } from '../harness/cluster.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
export const UMBRELLA = join(root, 'charts/lifecycle-bridge');
export const SUBCHARTS = ['bridge', 'collector', 'kube-state-metrics', 'bundled-backend'] as const;
export const subchart = (name: string): string => join(root, 'subcharts', name.replace(/^bundled-/, ''));
/** The values that switch on what is off, and what it needs. */
export const BUNDLED: Tree = { 'bundled-backend': { enabled: true }, backend: { exporter: 'debug' } };

/** A mapping of a manifest or of values: tests look into it, so its fields are open. */
export interface Tree {
  readonly [key: string]: unknown;
}

export interface Manifest extends Tree {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Where tests have the image of the bridge: the chart has no default for it. */
export const IMAGE = 'registry.example.com/lifecycle-bridge';

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  readonly args?: readonly string[];
  /** Without the image of the bridge, unless the values have one. */
  readonly bare?: boolean;
}

let program: Promise<string> | undefined;

/** What Helm said, on both channels. */
export function helm(...args: readonly string[]): Promise<{ code: number; output: string }> {
  return helmAt(join(helmHome, 'none'), ...args);
}

/** The same on a cluster. */
export async function helmAt(
  kubeconfig: string,
  ...args: readonly string[]
): Promise<{ code: number; output: string }> {
  program ??= tool('helm');
  try {
    const { stdout, stderr } = await run(await program, [...args], { maxBuffer: 2 ** 26, env: helmEnv(kubeconfig) });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** Nothing of the machine: no repositories, no plugins, no cluster. */
const helmHome = mkdtempSync(join(tmpdir(), 'chart-helm-'));
process.on('exit', () => rmSync(helmHome, { recursive: true, force: true }));
function helmEnv(kubeconfig: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: helmHome, KUBECONFIG: kubeconfig };
}

/**
 * The package as users get it, made of a copy, so that what is not in it is not in the tests either; `change` may make
 * another release of that copy, whose folder it gets.
 */
export async function packageChart(change: (folder: string) => void = () => undefined): Promise<string> {
  const work = join(helmHome, `package-${process.hrtime.bigint()}`);
  // tmpcharts: where Helm builds dependencies, which another test may just do here.
  const skip = (path: string): boolean => !/^(?:node_modules|tmpcharts.*|.*\.tgz)$/.test(basename(path));
  cpSync(UMBRELLA, join(work, 'charts/lifecycle-bridge'), { recursive: true, filter: skip });
  cpSync(join(root, 'subcharts'), join(work, 'subcharts'), { recursive: true });
  change(work);
  const chart = join(work, 'charts/lifecycle-bridge');
  for (const args of [
    ['dependency', 'build', chart],
    ['package', chart, '--destination', work],
  ]) {
    const { code, output } = await helm(...args);
    if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${output}`);
  }
  return join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) ?? 'no package');
}

/** The Collector of scripts/tools instead of the default one: what it is given to read depends on its release. */
export const OLD_COLLECTOR: readonly string[] = ['--set', 'collector.image.tag=0.111.0'];

/** What `helm template` prints: manifests, or the error. */
export async function template(
  chart: string,
  values: Tree,
  { release = 'lb', namespace = 'ops', args = [], bare = false }: RenderOptions = {},
): Promise<{ readonly manifests: readonly Manifest[]; readonly error: string }> {
  const at = join(helmHome, `values-${process.hrtime.bigint()}`);
  const files = [bare ? {} : withImage(chart), values].map((each, index) => {
    const file = `${at}-${index}.yaml`;
    writeFileSync(file, JSON.stringify(each)); // YAML 1.1 of Helm takes y, no and off for booleans
    return file;
  });
  const given = files.flatMap((file) => ['-f', file]);
  const { code, output } = await helm('template', release, chart, '-n', namespace, ...given, ...args);
  for (const file of files) rmSync(file);
  if (code !== 0) return { manifests: [], error: output };
  const documents = parseAllDocuments(output).map((document) => document.toJS() as Manifest | null);
  return { manifests: documents.filter((manifest) => manifest !== null), error: '' };
}

/** The value that no install can do without, of the umbrella chart or of the bridge alone. */
function withImage(chart: string): Tree {
  const image = { image: { repository: IMAGE } };
  if (chart === subchart('bridge')) return image;
  return SUBCHARTS.some((name) => chart === subchart(name)) ? {} : { bridge: image };
}

/** The manifests; throws with what Helm said. */
export async function render(chart: string, values: Tree, options?: RenderOptions): Promise<readonly Manifest[]> {
  const { manifests, error } = await template(chart, values, options);
  if (error !== '') throw new Error(error);
  return manifests;
}

/** Why Helm refuses these values; throws when it does not. */
export async function refusal(chart: string, values: Tree, options?: RenderOptions): Promise<string> {
  const { manifests, error } = await template(chart, values, options);
  if (error === '') throw new Error(`${manifests.length} manifests were rendered of ${JSON.stringify(values)}`);
  return error;
}

/** Every set of values that is kept beside the chart: ci/, and what the examples give to Helm. */
export function cases(): readonly { readonly name: string; readonly values: Tree }[] {
  const valuesIn = (folder: string, ...files: string[]) =>
    (files.length > 0 ? files : readdirSync(join(UMBRELLA, folder))).map((file) => ({
      name: `${folder}/${file}`,
      values: parse(readFileSync(join(UMBRELLA, folder, file), 'utf8')) as Tree,
    }));
  const example = (file: string, kind: string, ...path: string[]) => {
    const documents = parseAllDocuments(readFileSync(join(UMBRELLA, 'examples', file), 'utf8'));
    const manifest = documents.map((document) => document.toJS() as Manifest).find((each) => each.kind === kind);
    return { name: `examples/${file}`, values: path.reduce<unknown>((at, key) => (at as Tree)[key], manifest) as Tree };
  };
  return [
    ...valuesIn('ci'),
    ...valuesIn('examples/backends'),
    ...valuesIn('examples/node', 'values.yaml'),
    ...valuesIn('examples/large'),
    example('argocd/application.yaml', 'Application', 'spec', 'source', 'helm', 'valuesObject'),
    example('flux/helmrelease.yaml', 'HelmRelease', 'spec', 'values'),
  ];
}

/** The only manifest of a kind with this name. */
export function one(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} of ${kind} ${name}`);
  return found[0];
}

/** A file of a ConfigMap. */
export function fileOf(manifests: readonly Manifest[], configMap: string, key: string): string {
  return String((one(manifests, 'ConfigMap', configMap)['data'] as Tree)[key]);
}
