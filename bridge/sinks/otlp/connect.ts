import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorText, UserError } from '../../lib/errors.ts';
import type { ExportReply } from '../../lib/otlp-client.ts';
import type { OTLP_PATHS } from '../../lib/otlp-client.ts';
import { connectOtlpUrl } from '../../lib/otlp-client.ts';
import { redactor } from '../redact.ts';
import type { OtlpConfig } from './config.ts';

const DEADLINE_MS = 20_000;
const UNAVAILABLE = 14;
/** Shorter words are not secrets, and are parts of others. */
const SHORTEST_SECRET = 8;
const MAX_TEXT = 500;

/** A connection to one receiver. Never rejects. */
export interface Connection {
  export(what: keyof typeof OTLP_PATHS, request: Uint8Array, signal: AbortSignal): Promise<ExportReply>;
  /** What the receiver says, bounded, without any header that it was ever sent. */
  clean(text: string): string;
  close(): void;
}

/** Connects with the first export. Throws a UserError when a file cannot be read. */
export function connect({ endpoint, caFile, headers, headersFile, compression }: OtlpConfig): Connection {
  const authority = caFile === undefined ? undefined : readAuthority(caFile);
  const secrets = new Set<string>();
  const sent = (): Headers => {
    const read =
      headersFile === undefined
        ? readHeaders(headers ?? '', 'headers')
        : readHeaders(readFile(headersFile, 'headersFile').toString(), headersFile);
    for (const secret of read.flatMap(([, value]) => secretsOf(value))) secrets.add(secret);
    return read;
  };
  sent(); // what is wrong with them is reported at the start
  const client = connectOtlpUrl(endpoint, { gzip: compression === 'gzip', authority });
  return {
    export: (what, request, signal) => {
      const options = { what, signal, deadlineMs: DEADLINE_MS };
      try {
        return client.export(request, { ...options, headers: sent() });
      } catch (error) {
        const details = `No connection established: ${errorText(error)}`;
        return Promise.resolve({ code: UNAVAILABLE, details, retryAfterMs: undefined, response: undefined });
      }
    },
    clean: (text) => redactor([...secrets])(text).slice(0, MAX_TEXT),
    close: () => client.close(),
  };
}

/** A value as it is, and its words: a token stands behind the name of its scheme. */
function secretsOf(value: string): string[] {
  return [value, ...value.split(/[\s,;=]+/)].filter((text) => text.length >= SHORTEST_SECRET);
}

type Headers = [name: string, value: string][];

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[:=]\s*([\x20-\x7e]+)$/;

/** Those that HTTP/2 does not have would break every call before it is sent. */
const RESERVED =
  /^(grpc-.*|connection|content-length|content-type|host|http2-settings|keep-alive|proxy-connection|te|transfer-encoding|upgrade)$/i;

/** Headers, one a line. An error names the line and never what is in it. */
function readHeaders(text: string, where: string): Headers {
  return text.split('\n').flatMap((raw, at): [string, string][] => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    if (name === '' || name.toLowerCase().endsWith('-bin'))
      throw new UserError(`${where}, line ${at + 1}: not a header; allowed: name: value`, 'correct that line');
    if (RESERVED.test(name))
      throw new UserError(`${where}, line ${at + 1}: gRPC itself decides on the header ${name}`, 'take that line out');
    return [[name.toLowerCase(), value.trim()]];
  });
}

function readAuthority(file: string): Buffer {
  const authority = readFile(file, 'caFile');
  if (!isCertificate(authority))
    throw new UserError('caFile holds no certificate (PEM)', `put the certificate of the authority into ${file}`);
  return authority;
}

/** One in DER is a certificate too, and TLS would take it for none. */
function isCertificate(pem: Buffer): boolean {
  try {
    return pem.includes('-----BEGIN ') && new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function readFile(file: string, setting: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read ${setting}: ${errorText(error)}`, `check the path ${file}`);
  }
}
