/** Minutes; Sentry refuses more. */
export const MAX_MARGIN_MINUTES = 40_320;
export const MAX_RUNTIME_MINUTES = 10_080;
export const MAX_THRESHOLD = 720;
/** Relay refuses a check-in of any other; `None` is Sentry's own, and white space around it is cut. */
export const ENVIRONMENT = /^(?!None$)[^\s/]([^\n\r\f/]{0,62}[^\s/])?$/;
export const ENVIRONMENT_FORM = 'at most 64 characters without / and line breaks, not None';
export const OWNER = /^(?:user|team):[1-9]\d{0,18}$/;
