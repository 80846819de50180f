import type { Delivery } from '../sink.ts';
import type { Account } from './account.ts';
import { apiDelivery, apiRequest, organizationOf } from './api-client.ts';
import type { SentryPayload } from './payload.ts';

type Deploy = Extract<SentryPayload, { kind: 'deploy' }>;

/** Reports that a release is deployed; a release that Sentry does not know yet is made first. */
export async function sendDeploy(account: Account, deploy: Deploy, signal: AbortSignal): Promise<Delivery> {
  const organization = organizationOf(account);
  if (account.token === undefined || organization === undefined)
    return { outcome: 'drop', reason: 'bad_request', detail: 'a deploy needs api.tokenFile and api.organization' };
  const releases = `organizations/${encodeURIComponent(organization)}/releases/`;
  const { projectId } = account.dsns.resolve(deploy.target).dsn;
  const release = { version: deploy.release, projects: [projectId] };
  const made = await apiRequest(account, { method: 'POST', path: releases, body: release }, signal);
  const known = apiDelivery(account, made);
  if (known.outcome !== 'delivered') return known;
  const path = `${releases}${encodeURIComponent(deploy.release)}/deploys/`;
  const deployed = await apiRequest(account, { method: 'POST', path, body: deploy.item }, signal);
  return apiDelivery(account, deployed);
}
