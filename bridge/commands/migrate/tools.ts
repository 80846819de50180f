import type { OldTool } from './tool.ts';

/** Every tool of which settings are taken over, by its name. Loaded when asked for: every command knows the names. */
export const OLD_TOOLS: ReadonlyMap<string, () => Promise<OldTool>> = new Map([
  ['cronitor', async () => (await import('./cronitor-tool.ts')).CRONITOR],
  ['sentry', async () => (await import('./sentry-kubernetes.ts')).SENTRY_KUBERNETES],
  ['deployment-tracker', async () => (await import('./deployment-tracker.ts')).DEPLOYMENT_TRACKER],
  ['pod-time-controller', async () => (await import('./pod-time-controller.ts')).POD_TIME_CONTROLLER],
]);
