/** Minutes; Sentry refuses more. */
export const MAX_MARGIN_MINUTES = 40_320;
export const MAX_RUNTIME_MINUTES = 10_080;
export const MAX_THRESHOLD = 720;
/** Relay refuses a check-in of a longer one. */
export const MAX_ENVIRONMENT = 64;
export const OWNER = /^(?:user|team):[1-9]\d{0,18}$/;
