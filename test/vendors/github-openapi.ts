import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

const PACKAGE = join(import.meta.dirname, '../../node_modules/@octokit/openapi');
const SOURCE = join(PACKAGE, 'generated/api.github.com.deref.json');

/** The paths of GitHub's API that the bridge uses. */
const PATHS = [
  '/app/installations/{installation_id}/access_tokens',
  '/orgs/{org}',
  '/orgs/{org}/artifacts/metadata/deployment-record',
  '/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}',
  '/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}/jobs',
  '/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}/jobs/{job_id}',
  '/orgs/{org}/artifacts/{subject_digest}/metadata/deployment-records',
  '/orgs/{org}/attestations/{subject_digest}',
  '/repos/{owner}/{repo}/deployments',
  '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
] as const;

export type GithubPath = (typeof PATHS)[number];

interface Content {
  readonly content?: { readonly 'application/json'?: { readonly schema?: object } };
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: object }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** A request as GitHub's own OpenAPI description (npm `@octokit/openapi`) knows it. */
export interface DescribedRequest {
  readonly path: GithubPath;
  readonly parameters: Readonly<Record<string, string>>;
  /** What is wrong with it; empty: nothing. */
  readonly faults: readonly string[];
}

type Descriptions = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

let descriptions: Descriptions | undefined;
const validators = new Map<string, ValidateFunction>();
const ajv = new Ajv({ strict: false, allErrors: false, coerceTypes: false });
addFormats.default(ajv);

/** What the description says of a request; undefined for a path or method that the bridge has no business with. */
export function describe(
  method: string,
  pathname: string,
  query: URLSearchParams,
  body: unknown,
): DescribedRequest | undefined {
  const found = PATHS.map((path) => ({ path, parameters: match(path, pathname) })).find(({ path, parameters }) => {
    return parameters !== undefined && operationOf(path, method) !== undefined;
  });
  if (found?.parameters === undefined) return undefined;
  const { path, parameters } = found;
  const faults = [
    ...parameterFaults(path, method, 'path', parameters),
    ...parameterFaults(path, method, 'query', Object.fromEntries(query)),
    ...bodyFaults(path, method, body),
  ];
  return { path, parameters, faults };
}

/** What is wrong with an answer of the simulator; undefined: nothing, or it is not described. */
export function answerFault(path: GithubPath, method: string, status: number, body: unknown): string | undefined {
  const answers = operationOf(path, method)?.responses;
  const schema = answers?.[status]?.content?.['application/json']?.schema;
  return schema && wrong(`${method} ${path} ${status}`, schema, body);
}

function parameterFaults(
  path: GithubPath,
  method: string,
  where: 'path' | 'query',
  values: Readonly<Record<string, string>>,
): string[] {
  const described = operationOf(path, method)?.parameters?.filter((parameter) => parameter.in === where) ?? [];
  return Object.entries(values).flatMap(([name, text]) => {
    const schema = described.find((parameter) => parameter.name === name)?.schema;
    if (schema === undefined) return [`${where} parameter ${name} does not exist`];
    const isNumber = 'type' in schema && schema.type === 'integer';
    const fault = wrong(`${method} ${path} ${where} ${name}`, schema, isNumber ? Number(text) : text);
    return fault === undefined ? [] : [`${where} parameter ${name} ${fault}`];
  });
}

/** Also what the description lets pass and the API would ignore: a field that does not exist. */
function bodyFaults(path: GithubPath, method: string, body: unknown): string[] {
  const schema = operationOf(path, method)?.requestBody?.content?.['application/json']?.schema;
  if (schema === undefined) return body === undefined ? [] : ['has a body'];
  const fault = wrong(`${method} ${path}`, closed(schema), body);
  return fault === undefined ? [] : [fault];
}

/** Without fields that are not described, where it has any. */
function closed(schema: object): object {
  const { properties, items, ...rest } = schema as { properties?: Record<string, object>; items?: object };
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, closed(field)]);
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(fields), additionalProperties: false }),
    ...(items && { items: closed(items) }),
  };
}

function wrong(key: string, schema: object, value: unknown): string | undefined {
  let validate = validators.get(key);
  if (validate === undefined) validators.set(key, (validate = ajv.compile(schema)));
  if (validate(value)) return undefined;
  const error = validate.errors?.[0];
  return `${error?.instancePath ?? ''} ${error?.message ?? 'is wrong'} ${JSON.stringify(error?.params)}`;
}

function operationOf(path: GithubPath, method: string): Operation | undefined {
  descriptions ??= readDescriptions();
  return descriptions[path]?.[method.toLowerCase()];
}

/** Values of the parameters of a path, decoded; undefined when it is another path. */
function match(path: string, pathname: string): Record<string, string> | undefined {
  const pattern = path.split('/');
  const parts = pathname.split('/');
  if (parts.length !== pattern.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = /^\{(.+)\}$/.exec(pattern[index]!)?.[1];
    if (name !== undefined) values[name] = decodeURIComponent(part);
    else if (pattern[index] !== part) return undefined;
  }
  return values;
}

/** The description has 73 MB: what is used of it is kept in a small file. */
function readDescriptions(): Descriptions {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const cache = join(PACKAGE, `../../.cache/lifecycle-bridge/github-openapi-${version}-${PATHS.length}.json`);
  try {
    return JSON.parse(readFileSync(cache, 'utf8')) as Descriptions;
  } catch {
    const { paths } = JSON.parse(readFileSync(SOURCE, 'utf8')) as { paths: Descriptions };
    const used = Object.fromEntries(PATHS.map((path) => [path, paths[path]!]));
    mkdirSync(dirname(cache), { recursive: true });
    writeFileSync(`${cache}.${process.pid}`, JSON.stringify(used));
    renameSync(`${cache}.${process.pid}`, cache);
    return used;
  }
}
