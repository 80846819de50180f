import { z } from 'zod';

declare module 'zod' {
  /** What `.meta({…})` of a schema node may say beside its type. */
  interface GlobalMeta {
    /** Never printed, logged or put into an error. */
    readonly secret?: boolean;
    /** Milliseconds inside, a text such as 15m outside. */
    readonly duration?: boolean;
    /** What the error says is allowed here. */
    readonly allowed?: string;
  }
}

/** What was marked on this node, or nothing. */
export function markOf(schema: z.core.$ZodType): z.GlobalMeta {
  return z.globalRegistry.get(schema) ?? {};
}

const SECRET_NAMES =
  /^(apikey|key|token|password|passwd|secret|dsn|credentials?|authorization)$|(apikey|token|password|secret)$/i;

/** True for a key whose value is a secret by its name alone, whether or not its schema says so. */
export function isSecretName(key: string): boolean {
  return SECRET_NAMES.test(key);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Text such as 500ms, 90s, 15m, 24h, 7d as milliseconds. */
export function duration() {
  return z
    .string()
    .regex(DURATION)
    .transform((text) => {
      const [, amount, unit] = DURATION.exec(text)!;
      return Math.round(Number(amount) * UNIT_MS[unit!]!);
    })
    .meta({ duration: true, allowed: 'a duration such as 500ms, 90s, 15m or 24h' });
}

function isMultiple(ms: number, unit: string): boolean {
  return ms % (UNIT_MS[unit] ?? 1) === 0;
}

/** Milliseconds as the shortest text that `duration` reads back. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? 's' : ['d', 'h', 'm', 's'].find((name) => isMultiple(ms, name));
  return unit === undefined ? `${ms}ms` : `${ms / UNIT_MS[unit]!}${unit}`;
}
