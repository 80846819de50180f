import type { Config } from '../../config/schema.ts';

/** What to do when the bridge has the variables of cronitor-kubernetes and no account; else undefined. */
export function oldKeyHint(
  { cronitor }: Pick<Config, 'cronitor'>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if ((env['CRONITOR_API_KEY'] ?? '') === '' || Object.keys(cronitor).length > 0) return undefined;
  return 'CRONITOR_API_KEY and its like are of cronitor-kubernetes and are not read here: "lifecycle-bridge migrate-from cronitor --env FILE" says what to set instead.';
}
