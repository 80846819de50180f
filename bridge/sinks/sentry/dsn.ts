import type { DsnComponents } from '@sentry/core';
import { dsnToString, makeDsn } from '@sentry/core';

/** The library prints what it cannot parse, so it is given nothing else. */
const DSN = /^https?:\/\/\w+(:\w*)?@([\w.-]+|\[[:.%\w]+\])(:\d{1,5})?\/([^?#\s@]+\/)?\d+$/;

export type Dsn = DsnComponents & { readonly publicKey: string };

/** Undefined for what is not a DSN: `https://PUBLIC_KEY@HOST/PROJECT_ID`. */
export function parseDsn(text: string): Dsn | undefined {
  const dsn = DSN.test(text) ? makeDsn(text) : undefined;
  return dsn?.publicKey === undefined || dsn.publicKey === '' ? undefined : { ...dsn, publicKey: dsn.publicKey };
}

/** The DSN without the secret half that old ones have. */
export function publicDsn(dsn: Dsn): string {
  return dsnToString(dsn);
}
