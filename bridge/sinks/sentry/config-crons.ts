import { z } from 'zod';

/** Check-ins of CronJobs. */
export const cronsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether CronJobs are monitors, and their runs check-ins'),
});
