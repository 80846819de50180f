import type { Delivery } from '../sink.ts';
import type { GithubClient } from './client.ts';
import { objectOf } from './fields.ts';
import type { DeploymentRecord } from './record.ts';

type Drop = Extract<Delivery, { outcome: 'drop' }>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What a person may put right is asked again sooner than what a build has to. */
const FORBIDDEN_MS = 10 * MINUTE_MS;
/** Credentials that may not read attestations are not asked to for this long. */
const BLIND_MS = HOUR_MS;

const NEEDED = 'artifact metadata: write on the repository of the image';

/**
 * GitHub answers 404 for an artifact that it does not know and for one that the credentials may not write. This
 * distinguishes them as far as GitHub says more: by the permissions of an App, and by whether it has an attestation of the digest.
 */
export class Probe {
  readonly #client: GithubClient;
  #blindUntil = -Infinity;

  constructor(client: GithubClient) {
    this.#client = client;
  }

  /** What a 404 for this record means. */
  async explain(record: DeploymentRecord, attempt: number, signal: AbortSignal): Promise<Delivery> {
    const granted = this.#client.auth.permissions();
    if (granted !== undefined && granted['artifact_metadata'] !== 'write')
      return forbidden(`GitHub answers 404: the App was not granted ${NEEDED}`, attempt);
    const seen = await this.#attestations(record, signal);
    if (typeof seen !== 'boolean') return seen ?? undecided(record);
    if (seen)
      return forbidden(`GitHub answers 404 although it has an attestation: the credentials need ${NEEDED}`, attempt);
    return { outcome: 'drop', reason: 'unknown_artifact', detail: `no attestation of ${short(record)} is visible` };
  }

  /** Whether GitHub shows an attestation of the digest; undefined where it does not say; a delivery where it must be asked again. */
  async #attestations({ org, digest }: DeploymentRecord, signal: AbortSignal): Promise<boolean | Delivery | undefined> {
    const now = this.#client.clock.now();
    if (now < this.#blindUntil && this.#blindUntil - now <= BLIND_MS) return undefined;
    const path = `/orgs/${org}/attestations/${digest}?per_page=1`;
    const { delivery, answer } = await this.#client.call({ method: 'GET', path }, signal);
    if (delivery.outcome === 'retry') return delivery;
    const mayRead = this.#client.auth.permissions()?.['attestations'] !== undefined;
    if (answer?.status === 200) {
      const { attestations } = objectOf(answer.body);
      return Array.isArray(attestations) ? attestations.length > 0 : undefined;
    }
    if (answer?.status === 404) return mayRead ? false : undefined;
    if (answer?.status === 403) this.#blindUntil = now + BLIND_MS;
    return undefined;
  }

  /** The credentials are others. */
  renewed(): void {
    this.#blindUntil = -Infinity;
  }
}

/** A refusal that is about permissions: asked again after ten minutes, later up to an hour. */
export function forbidden(detail: string, attempt: number): Drop {
  const afterMs = Math.min(HOUR_MS, FORBIDDEN_MS * 2 ** Math.min(attempt - 1, 10));
  return { outcome: 'drop', reason: 'forbidden', detail, afterMs };
}

function undecided(record: DeploymentRecord): Drop {
  const detail = `${short(record)}: GitHub does not know the artifact (it has no attestation), or the credentials need ${NEEDED}; they may not read attestations, so GitHub does not say which`;
  return { outcome: 'drop', reason: 'not_found', detail, afterMs: HOUR_MS };
}

const short = ({ name, digest }: DeploymentRecord): string => `${name}@${digest}`;
