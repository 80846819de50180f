import type { Delivery } from '../sink.ts';
import type { TestResult } from '../test-result.ts';
import type { GithubClient } from './client.ts';
import type { GithubConfig } from './config.ts';

/** The digest of nothing that anyone has built. */
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;
const NEEDED = 'artifact_metadata: write';

/** Asks whether address and credentials are right, and what they may do as far as GitHub says it. Changes nothing. */
export async function checkAccess(client: GithubClient, { org }: GithubConfig, signal: AbortSignal): Promise<Delivery> {
  const path = `/orgs/${org}/artifacts/${NO_DIGEST}/metadata/deployment-records`;
  const { delivery, answer } = await client.call({ method: 'GET', path }, signal);
  const granted = client.auth.permissions();
  if (granted !== undefined && granted['artifact_metadata'] !== 'write') {
    const has = Object.entries(granted).map(([permission, level]) => `${permission}: ${level}`);
    const detail = `the App was not granted ${NEEDED}; it has ${has.join(', ') || 'no permissions'}`;
    return { outcome: 'drop', reason: 'forbidden', detail };
  }
  if (granted !== undefined && (delivery.outcome === 'delivered' || answer?.status === 404))
    return { outcome: 'delivered', detail: `the App was granted ${NEEDED} in ${org}` };
  if (delivery.outcome === 'delivered')
    return {
      ...delivery,
      detail: `the token may read the artifacts of ${org}; whether it may write them shows with the first record`,
    };
  if (answer?.status !== 404) return delivery;
  return organisationSeen(client, org, signal);
}

/** An answer of 404 says nothing about the credentials: whether they are known, and the organisation, does. */
async function organisationSeen(client: GithubClient, org: string, signal: AbortSignal): Promise<Delivery> {
  const { delivery, answer } = await client.call({ method: 'GET', path: `/orgs/${org}` }, signal);
  if (delivery.outcome === 'delivered')
    return {
      ...delivery,
      detail: `the token is accepted and sees ${org}; whether it may write artifact metadata shows with the first record`,
    };
  if (answer?.status !== 404) return delivery;
  const detail = `${client.words(answer)} (there is no organisation ${org} that these credentials see)`;
  return { outcome: 'drop', reason: 'not_found', detail };
}

/** Sets the record of an artifact that does not exist: GitHub refuses it after it has looked at address and credentials. */
export async function testDelivery(
  client: GithubClient,
  config: GithubConfig,
  signal: AbortSignal,
): Promise<TestResult> {
  const { org, cluster, logicalEnvironment } = config;
  const access = await checkAccess(client, config, signal);
  if (access.outcome !== 'delivered') return { delivery: access, did: '' };
  const body = {
    name: 'lifecycle-bridge-test',
    digest: NO_DIGEST,
    status: 'decommissioned',
    logical_environment: logicalEnvironment,
    cluster,
    deployment_name: 'lifecycle-bridge-test',
    return_records: false,
  };
  const path = `/orgs/${org}/artifacts/metadata/deployment-record`;
  const { delivery, answer } = await client.call({ method: 'POST', path, body }, signal);
  const asked = `asked GitHub (${access.detail ?? 'accepted'})`;
  if (delivery.outcome === 'delivered') return { delivery, did: `${asked}, set the record lifecycle-bridge-test` };
  if (answer?.status !== 404) return { delivery, did: asked };
  return {
    delivery: { outcome: 'delivered' },
    did: `${asked}, sent a record of an artifact that does not exist, which GitHub refused with 404 as expected: nothing was recorded`,
  };
}
