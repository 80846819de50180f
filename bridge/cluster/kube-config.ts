import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';

/** How to reach a Kubernetes API, read from a kubeconfig or the service account of a pod. */
export interface KubeAccess {
  readonly server: string;
  /** PEM of the certificate authority, if the configuration has one. */
  readonly ca: string | undefined;
  readonly proxyUrl: string | undefined;
  /** TLS and authorization of one request. Files are read again each time: tokens and certificates are rotated. */
  options(): Promise<Omit<RequestOptions, 'headers'> & { readonly headers: Readonly<Record<string, string>> }>;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const text = z.string().nullish();
const clusterSchema = z.object({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'tls-server-name': text,
  'proxy-url': text,
});
const execSchema = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
});
const userSchema = z.object({
  token: text,
  tokenFile: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  as: text,
  exec: execSchema.nullish(),
  'auth-provider': z.unknown().optional(),
});
const fileSchema = z.object({
  'current-context': text,
  clusters: z.array(z.object({ name: z.string(), cluster: clusterSchema })).nullish(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: text }) })).nullish(),
  users: z.array(z.object({ name: z.string(), user: userSchema.nullish() })).nullish(),
});

type KubeCluster = z.infer<typeof clusterSchema>;
type KubeUser = z.infer<typeof userSchema>;
/** What an entry says, and the folder that its relative paths start from. */
type Placed<T> = { readonly folder: string; readonly value: T };

/**
 * The access that `file` tells, else KUBECONFIG, ~/.kube/config or the pod's service account; undefined when there is
 * none of them. Throws when a file cannot be read or names no current cluster. (The library of the Kubernetes project
 * does the same, for 80 MB: its KubeConfig loads every model of the API.)
 */
export function readKubeAccess(
  file: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  serviceAccount = SERVICE_ACCOUNT,
): KubeAccess | undefined {
  const home = join(env['HOME'] ?? homedir(), '.kube/config');
  const named = file === undefined ? env['KUBECONFIG'] : file;
  if (named) return fromFiles(file === undefined ? named.split(delimiter).filter(existsSync) : [named], env);
  if (existsSync(home)) return fromFiles([home], env);
  return existsSync(join(serviceAccount, 'token')) ? fromPod(serviceAccount, env) : undefined;
}

/** Several files are merged as kubectl does it: the first that names something wins. */
function fromFiles(files: readonly string[], env: NodeJS.ProcessEnv): KubeAccess {
  const parsed = files.map((file) => {
    return { folder: dirname(resolve(file)), value: fileSchema.parse(parse(readFileSync(file, 'utf8'))) };
  });
  const find = <T>(pick: (value: z.infer<typeof fileSchema>) => T | null | undefined): Placed<T> | undefined => {
    for (const { folder, value } of parsed) {
      const found = pick(value);
      if (found !== undefined && found !== null) return { folder, value: found };
    }
    return undefined;
  };
  const current = find((value) => value['current-context'] || undefined)?.value;
  const context = find(({ contexts }) => contexts?.find(({ name }) => name === current))?.value.context;
  const cluster = find(({ clusters }) => clusters?.find(({ name }) => name === context?.cluster)?.cluster);
  const user = find(({ users }) => users?.find(({ name }) => name === context?.user)?.user);
  if (cluster === undefined) throw new Error('it names no current cluster');
  return access(cluster, user ?? { folder: cluster.folder, value: {} }, env);
}

function fromPod(folder: string, env: NodeJS.ProcessEnv): KubeAccess {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const cluster = { server, 'certificate-authority': 'ca.crt' };
  return access({ folder, value: cluster }, { folder, value: { tokenFile: 'token' } }, env);
}

function access(cluster: Placed<KubeCluster>, user: Placed<KubeUser>, env: NodeJS.ProcessEnv): KubeAccess {
  const { server, 'insecure-skip-tls-verify': insecure, 'proxy-url': proxyUrl } = cluster.value;
  if (server.startsWith('http:') && insecure !== true) {
    throw new Error('its server is http: the token would go unencrypted; insecure-skip-tls-verify: true allows it');
  }
  if (user.value['auth-provider']) throw new Error('its user has an auth-provider; use a token, certificate or exec');
  const ca = (): string | undefined => content(cluster, 'certificate-authority', 'certificate-authority-data');
  const plugin = execCredentials(cluster, user, env);
  return {
    server,
    ca: ca(),
    proxyUrl: proxyUrl ?? undefined,
    async options() {
      const { token, cert, key } = (await plugin?.()) ?? {};
      const bearer = token ?? (user.value.token || fileText(user, 'tokenFile')?.trim());
      return {
        ca: ca(),
        cert: cert ?? content(user, 'client-certificate', 'client-certificate-data'),
        key: key ?? content(user, 'client-key', 'client-key-data'),
        rejectUnauthorized: insecure !== true,
        servername: cluster.value['tls-server-name'] ?? undefined,
        headers: {
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          ...(user.value.as && { 'impersonate-user': user.value.as }),
        },
      };
    },
  };
}

function fileText<K extends string>(
  { folder, value }: Placed<{ readonly [P in K]?: string | null | undefined }>,
  field: K,
): string | undefined {
  const file = value[field];
  return file ? readFileSync(resolve(folder, file), 'utf8') : undefined;
}

/** A certificate or key: base64 in the configuration wins over a file. */
function content<K extends string, D extends string>(
  placed: Placed<{ readonly [P in K | D]?: string | null | undefined }>,
  file: K,
  data: D,
): string | undefined {
  const inline = placed.value[data];
  return inline ? Buffer.from(inline, 'base64').toString('utf8') : fileText(placed, file);
}

interface Credentials {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const credentialSchema = z.object({
  status: z.object({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: text,
  }),
});
/** Asked again that long before they expire, and after that time when they do not say when. */
const REFRESH_MS = 60_000;

/** What the user's credential plugin prints, kept until it expires. */
function execCredentials(
  cluster: Placed<KubeCluster>,
  { folder, value: { exec } }: Placed<KubeUser>,
  env: NodeJS.ProcessEnv,
): (() => Promise<Credentials>) | undefined {
  if (!exec) return undefined;
  const { apiVersion, command, args, provideClusterInfo } = exec;
  const { server, 'tls-server-name': tlsServerName } = cluster.value;
  const data = content(cluster, 'certificate-authority', 'certificate-authority-data');
  const info = {
    server,
    'tls-server-name': tlsServerName ?? undefined,
    'certificate-authority-data': data && Buffer.from(data).toString('base64'),
  };
  const spec = { interactive: false, ...(provideClusterInfo === true && { cluster: info }) };
  const own = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const asked = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  const program = command.includes('/') ? resolve(folder, command) : command;
  let kept: { readonly credentials: Credentials; readonly until: number } | undefined;
  return async () => {
    if (kept !== undefined && Date.now() < kept.until) return kept.credentials;
    const options = { env: { ...env, ...own, KUBERNETES_EXEC_INFO: asked }, timeout: REFRESH_MS };
    const { stdout } = await promisify(execFile)(program, args ?? [], options);
    const { status } = credentialSchema.parse(JSON.parse(stdout));
    const credentials = {
      token: status.token ?? undefined,
      cert: status.clientCertificateData ?? undefined,
      key: status.clientKeyData ?? undefined,
    };
    const expires = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Date.now() + 2 * REFRESH_MS;
    kept = { credentials, until: expires - REFRESH_MS };
    return credentials;
  };
}
