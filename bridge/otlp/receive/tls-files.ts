import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';

/** PEM files of the server; with `clientCaFile` only clients with a certificate of that authority may connect. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}

/** What a TLS server is made of, and until when it is valid. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  readonly notAfter: string;
}

export const tlsPaths = ({ certFile, keyFile, clientCaFile }: TlsFiles): string[] => [
  certFile,
  keyFile,
  ...(clientCaFile === undefined ? [] : [clientCaFile]),
];

/** Checks all of it before any is used: a file that is half written, or a key of another certificate, throws. */
export function parseTls([cert, key, ca]: readonly Buffer[]): TlsMaterial {
  if (cert === undefined || key === undefined) throw new Error('a certificate and a key are needed');
  const [leaf] = certificates(cert);
  if (ca !== undefined) certificates(ca);
  const context = { cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' } as const satisfies SecureContextOptions;
  createSecureContext(context);
  return { context, notAfter: new Date(leaf.validTo).toISOString() };
}

/** OpenSSL takes an authority file without any whole certificate as "none", which would lock out every client. */
function certificates(pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
  if (first === undefined || blocks.length !== text.split('-----BEGIN CERTIFICATE-----').length - 1)
    throw new Error('a certificate is not whole');
  return [first, ...rest];
}
