import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

interface IssuedToken {
  readonly expiresAt: number;
  readonly permissions: Permissions;
}

/** Of no App that exists; the same in each run, for simulations that are repeated. */
const KEY = join(import.meta.dirname, '../fixtures/github-app.pem');
const HOUR_MS = 3_600_000;
const GRANTED: Permissions = { artifact_metadata: 'write', attestations: 'read', deployments: 'write' };

/** An App with one installation, as a test configures the bridge with it. */
export interface TestApp {
  readonly id: number;
  readonly installationId: number;
  /** PEM, PKCS#1 as GitHub hands it out. */
  readonly privateKey: string;
}

/** Tokens of people and of installations, as strict as GitHub. */
export class GithubAuth {
  /** Tokens that never expire. */
  readonly tokens: Map<string, Permissions>;
  /** How long a token of an installation lives. */
  tokenMs = HOUR_MS;
  /** What installations are granted. */
  granted: Permissions = GRANTED;
  /** The App is suspended, or its key was deleted. */
  suspended = false;
  /** How many tokens of installations were given. */
  issued = 0;
  readonly #installations = new Map<number, { readonly appId: number; readonly publicKey: KeyObject }>();
  readonly #issued = new Map<string, IssuedToken>();

  constructor(token: string) {
    this.tokens = new Map([[token, GRANTED]]);
  }

  createApp(id = 1234, installationId = 5678): TestApp {
    const privateKey = readFileSync(KEY, 'utf8');
    this.#installations.set(installationId, { appId: id, publicKey: createPublicKey(privateKey) });
    return { id, installationId, privateKey };
  }

  /** Every token that installations have is worthless from now on. */
  revoke(): void {
    this.#issued.clear();
  }

  /** What a request may do; undefined: nothing. */
  permissions(authorization: string | undefined, now: number): Permissions | undefined {
    const token = /^(?:bearer|token) (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const issued = this.#issued.get(token);
    if (issued !== undefined) return issued.expiresAt > now ? issued.permissions : undefined;
    return this.tokens.get(token);
  }

  /** A token of an installation; a text: why there is none. */
  issue(authorization: string | undefined, installationId: number, now: number): object | string {
    const installation = this.#installations.get(installationId);
    const jwt = /^bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    if (installation === undefined || this.suspended) return 'Integration not found';
    const signed = Buffer.from(`${head}.${claims}`);
    if (!verify('RSA-SHA256', signed, installation.publicKey, Buffer.from(signature, 'base64url')))
      return 'A JSON web token could not be decoded';
    const { iat, exp, iss } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, number>;
    const seconds = now / 1000;
    if (Number(iss) !== installation.appId) return "'Issuer' claim ('iss') is wrong";
    if (iat! > seconds || exp! > seconds + 600 || exp! < seconds) return "'Expiration time' claim ('exp') is wrong";
    this.issued++;
    const token = `ghs_${createHash('sha256').update(`${jwt}${this.issued}`).digest('hex')}`;
    const expiresAt = now + this.tokenMs;
    this.#issued.set(token, { expiresAt, permissions: this.granted });
    return {
      token,
      expires_at: new Date(expiresAt).toISOString(),
      permissions: this.granted,
      repository_selection: 'all',
    };
  }
}
