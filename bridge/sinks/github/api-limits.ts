/** What GitHub allows in a deployment record (npm `@octokit/openapi`: the artifact metadata endpoints). */
export const MAX_NAME = 256;
export const MAX_VERSION = 100;
export const MAX_ENVIRONMENT = 128;
export const MAX_TAGS = 5;
export const MAX_TAG_TEXT = 100;

/** A manifest of a registry. */
export const DIGEST = /^sha256:[a-f0-9]{64}$/;
/** It is a part of a path. */
export const CLUSTER = /^(?!\.+$)[a-zA-Z0-9._-]{1,128}$/;
/** A repository without its owner. */
export const REPOSITORY = /^(?!\.+$)[A-Za-z0-9._-]{1,100}$/;
export const ORGANISATION = /^[a-zA-Z0-9_-]{1,100}$/;
