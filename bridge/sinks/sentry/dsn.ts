/** Every configuration is checked with it, in each thread: Sentry's own library would take longer to load than the rest. */
const DSN =
  /^(?<protocol>https?):\/\/(?<publicKey>\w+)(?::\w*)?@(?<host>[\w.-]+|\[[:.%\w]+\])(?::(?<port>\d{1,5}))?\/(?:(?<path>[^?#\s@]+)\/)?(?<projectId>\d+)$/;

/** `port` and `path` are empty where a DSN has none. */
export interface Dsn {
  readonly protocol: string;
  readonly publicKey: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly projectId: string;
}

/** Undefined for what is not a DSN: `https://PUBLIC_KEY@HOST/PROJECT_ID`. */
export function parseDsn(text: string): Dsn | undefined {
  const parts = DSN.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { protocol, publicKey, host, port = '', path = '', projectId } = parts;
  const address = { protocol: protocol!, host: host!.toLowerCase(), port };
  // A port or an address that is none, such as 1.2.3.999.
  if (!URL.canParse(addressOf(address))) return undefined;
  return { ...address, publicKey: publicKey!, path, projectId: projectId! };
}

/** The DSN without the secret half that old ones have. */
export function publicDsn({ protocol, publicKey, host, port, path, projectId }: Dsn): string {
  return `${protocol}://${publicKey}@${host}${port && `:${port}`}/${path && `${path}/`}${projectId}`;
}

/** `host` or `host:port` where the port is not the usual one. */
export function dsnHost(dsn: Dsn): string {
  return new URL(addressOf(dsn)).host;
}

function addressOf({ protocol, host, port }: Pick<Dsn, 'protocol' | 'host' | 'port'>): string {
  return `${protocol}://${host}${port && `:${port}`}`;
}

export function dsnOrigin(dsn: Dsn): string {
  return `${dsn.protocol}://${dsnHost(dsn)}`;
}

/** Where envelopes for it go. */
export function envelopeUrl(dsn: Dsn): string {
  return `${dsnOrigin(dsn)}/${dsn.path && `${dsn.path}/`}api/${dsn.projectId}/envelope/`;
}
