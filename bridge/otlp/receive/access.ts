import type { Followed } from './followed-files.ts';
import { followFiles } from './followed-files.ts';
import type { TlsFiles, TlsMaterial } from './tls-files.ts';
import { parseTls, tlsPaths } from './tls-files.ts';
import type { Tokens } from './tokens.ts';
import { isAuthorized, parseTokens } from './tokens.ts';

export interface AccessOptions {
  /** With either, an export needs one of these bearer tokens; the file has one a line and is read again. */
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** How often token and TLS files are looked at. */
  readonly reloadMs?: number;
}

/** Who may export, as people see it. */
export interface AccessReport {
  readonly token: 'off' | { readonly accepted: number; readonly problem?: string };
  readonly tls: 'off' | { readonly notAfter: string; readonly clientCertificates: boolean; readonly problem?: string };
}

/** Who may export, from files that are read again when they change. */
export interface Access {
  readonly tls: TlsMaterial | undefined;
  /** Of an `authorization` header; always true when no token is configured. */
  allows(authorization: string | undefined): boolean;
  report(): AccessReport;
  close(): void;
}

const RELOAD_MS = 5_000;

/** Reads tokens and certificates. Throws a UserError when they cannot be used; later, what was read before stays. */
export async function openAccess(
  { token, tokenFile, tls: files, reloadMs: everyMs = RELOAD_MS }: AccessOptions,
  onTls: (material: TlsMaterial) => void,
  onProblem: (text: string) => void,
): Promise<Access> {
  const inline = token === undefined ? [] : parseTokens(token);
  const parse = ([bytes]: readonly Buffer[]): Tokens => parseTokens(String(bytes));
  const tokens = tokenFile ? await followFiles({ files: [tokenFile], parse, everyMs, onProblem }) : undefined;
  const open = (files: TlsFiles): Promise<Followed<TlsMaterial>> =>
    followFiles({ files: tlsPaths(files), parse: parseTls, everyMs, onChange: onTls, onProblem });
  const tls = files && (await open(files));
  const accepted = (): Tokens => [...inline, ...(tokens?.value ?? [])];
  const needed = token !== undefined || tokens !== undefined;
  return {
    tls: tls?.value,
    allows: (authorization) => !needed || isAuthorized(accepted(), authorization),
    report: () => ({
      token: needed ? { accepted: accepted().length, ...problemOf(tokens) } : 'off',
      tls: tls
        ? { notAfter: tls.value.notAfter, clientCertificates: files?.clientCaFile !== undefined, ...problemOf(tls) }
        : 'off',
    }),
    close() {
      tokens?.close();
      tls?.close();
    },
  };
}

function problemOf(followed: { readonly problem: string | undefined } | undefined): { problem?: string } {
  return followed?.problem === undefined ? {} : { problem: followed.problem };
}
