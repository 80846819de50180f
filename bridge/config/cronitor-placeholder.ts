import { z } from 'zod';

import { allowed, secret } from './marks.ts';

const url = (fallback: string) => allowed(z.url({ protocol: /^https?$/ }), 'an http(s) URL').default(fallback);

/** Stands for `sinkSchemas.cronitor` until that exists. */
export const cronitorSchema = z.strictObject({
  apiKey: secret().optional(),
  apiKeyFile: z.string().min(1).optional(),
  apiUrl: url('https://cronitor.io'),
  pingUrl: url('https://cronitor.link'),
  env: z.string().optional(),
  tags: z.array(z.string()).default([]),
  dryRun: z.boolean().default(false),
});
