import type { DsnComponents } from '@sentry/core';
import { dsnToString, makeDsn } from '@sentry/core';

/** The library prints what it cannot parse, so it is given nothing else. */
const DSN = /^https?:\/\/\w+(:\w*)?@([\w.-]+|\[[:.%\w]+\])(:\d{1,5})?\/([^?#\s@]+\/)?\d+$/;

export type Dsn = DsnComponents & { readonly publicKey: string };

/** Undefined for what is not a DSN: `https://PUBLIC_KEY@HOST/PROJECT_ID`. */
export function parseDsn(text: string): Dsn | undefined {
  const dsn = DSN.test(text) ? makeDsn(text) : undefined;
  if (dsn?.publicKey === undefined || dsn.publicKey === '') return undefined;
  return { ...dsn, host: dsn.host.toLowerCase(), publicKey: dsn.publicKey };
}

/** The DSN without the secret half that old ones have. */
export function publicDsn(dsn: Dsn): string {
  return dsnToString(dsn);
}

/** `host` or `host:port` where the port is not the usual one. */
export function dsnHost({ protocol, host, port }: Dsn): string {
  return new URL(`${protocol}://${host}${port ? `:${port}` : ''}`).host;
}

export function dsnOrigin(dsn: Dsn): string {
  return `${dsn.protocol}://${dsnHost(dsn)}`;
}

/** Where envelopes for it go. */
export function envelopeUrl(dsn: Dsn): string {
  return `${dsnOrigin(dsn)}/${dsn.path ? `${dsn.path}/` : ''}api/${dsn.projectId}/envelope/`;
}
