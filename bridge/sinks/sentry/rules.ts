import type { SentryPlanConfig } from './config.ts';

/** What one destination plans by: its settings, and what follows from them once. */
export type SentryRules = SentryPlanConfig & { /** `sentry/<name>` */ readonly destination: string };
