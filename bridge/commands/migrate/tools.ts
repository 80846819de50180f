import { CRONITOR } from './cronitor-tool.ts';
import { POD_TIME_CONTROLLER } from './pod-time-controller.ts';
import { DEPLOYMENT_TRACKER } from './deployment-tracker.ts';
import { SENTRY_KUBERNETES } from './sentry-kubernetes.ts';
import type { OldTool } from './tool.ts';

/** Every tool of which settings are taken over. */
export const OLD_TOOLS: readonly OldTool[] = [CRONITOR, SENTRY_KUBERNETES, DEPLOYMENT_TRACKER, POD_TIME_CONTROLLER];
