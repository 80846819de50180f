import { CRONITOR } from './cronitor-tool.ts';
import { POD_TIME_CONTROLLER } from './pod-time-controller.ts';
import type { OldTool } from './tool.ts';

/** Every tool of which settings are taken over. */
export const OLD_TOOLS: readonly OldTool[] = [CRONITOR, POD_TIME_CONTROLLER];
