import { z } from 'zod';
import type { Json } from '../../lib/json.ts';

export const RISKS = ['critical-resource', 'internet-exposed', 'lateral-movement', 'sensitive-data'] as const;
export type Risk = (typeof RISKS)[number];

const recordSchema = z.object({
  org: z.string(),
  logical_environment: z.string(),
  physical_environment: z.string(),
  cluster: z.string(),
  deployment_name: z.string(),
  name: z.string(),
  digest: z.string(),
  version: z.string().optional(),
  status: z.enum(['deployed', 'decommissioned']),
  tags: z.record(z.string(), z.string()).optional(),
  runtime_risks: z.array(z.enum(RISKS)).optional(),
  github_repository: z.string().optional(),
});

/** What GitHub should have under one deployment name of a cluster and environment: what a desired row wants. */
export type DeploymentRecord = Readonly<z.infer<typeof recordSchema>>;

/** The record that a row wants; undefined for one of another kind, or that a later bridge wrote. */
export function readRecord(wanted: Json): DeploymentRecord | undefined {
  return recordSchema.safeParse(wanted).data;
}

/** A record as a row keeps it. */
export function toJson(record: DeploymentRecord): Json {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Json;
}

/** The key of a record's row. GitHub knows a record by the same five. */
export function recordKey(record: Omit<DeploymentRecord, 'name' | 'digest' | 'status'>): string {
  const { org, logical_environment, physical_environment, cluster, deployment_name } = record;
  return `${[org, logical_environment, physical_environment, cluster].map(encodeURIComponent).join('/')}/${deployment_name}`;
}

/** The body of a request that sets this record alone. */
export function singleBody(
  record: DeploymentRecord,
): Omit<DeploymentRecord, 'org'> & { readonly return_records: false } {
  const { org: _, ...body } = record;
  return { ...body, return_records: false };
}

/** Its entry in the list of a job for the cluster; environments and cluster are those of the job. */
export function bulkEntry(
  record: DeploymentRecord,
): Omit<DeploymentRecord, 'org' | 'logical_environment' | 'physical_environment' | 'cluster'> {
  const { org: _, logical_environment: _1, physical_environment: _2, cluster: _3, ...entry } = record;
  return entry;
}
