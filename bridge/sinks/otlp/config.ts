import { z } from 'zod';
import type { DeepReadonly } from '../../lib/deep-readonly.ts';
import { otlpUrl } from '../../lib/otlp-url.ts';
import { selectionFields } from '../selection.ts';
import { linksSchema } from './links.ts';

/** One receiver of OTLP over gRPC: the Collector of the release, which has a queue on disk and passes everything on. */
export const otlpSchema = z
  .strictObject({
    endpoint: otlpUrl.describe('URL of an OTLP/gRPC receiver, such as http://collector:4317; https speaks TLS'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with the certificates that sign the one of the receiver; without it those of the system'),
    headers: z
      .string()
      .meta({ secret: true })
      .optional()
      .describe('Headers of each export, one in each line: "name: value"'),
    headersFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with a header in each line, "name: value", that is sent with each export; it is read again before each',
      ),
    compression: z.enum(['gzip', 'none']).default('gzip').describe('How exports are compressed'),
    traces: z.boolean().default(true).describe('Export a trace of each run when it is over'),
    logs: z.boolean().default(true).describe('Export each transition and Kubernetes Event as a log record'),
    podLogs: z
      .boolean()
      .default(false)
      .describe(
        'Export the tails of container logs as log records under the trace of their run, for clusters where no Collector may read the logs of the nodes',
      ),
    resourceAttributes: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe('Attributes of every resource, such as deployment.environment.name: production'),
    links: linksSchema,
    ...selectionFields,
    dryRun: z.boolean().default(false).describe('Do everything except the requests'),
  })
  .refine(({ headers, headersFile }) => headers === undefined || headersFile === undefined, {
    error: 'set headers or headersFile, not both',
    path: ['headers'],
  });

export type OtlpConfig = DeepReadonly<z.infer<typeof otlpSchema>>;
