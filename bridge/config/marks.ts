import { z } from 'zod';

/** What a schema node says about itself beyond its shape: never print it, print it as a duration, what is allowed. */
interface Mark {
  readonly secret?: true;
  readonly duration?: true;
  readonly allowed?: string;
}

const marks = z.registry<Mark>();

/** What was marked on this node, or nothing. */
export function markOf(schema: z.core.$ZodType): Mark {
  return marks.get(schema) ?? {};
}

/** Adds to a schema what the error says is allowed there. */
export function allowed<T extends z.ZodType>(schema: T, text: string): T {
  marks.add(schema, { allowed: text });
  return schema;
}

/** Text that is never printed, logged or put into an error. */
export function secret(): z.ZodString {
  return z.string().min(1).register(marks, { secret: true, allowed: 'text that is not empty' });
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
  const schema = z
    .string()
    .regex(DURATION)
    .transform((text) => {
      const [, amount, unit] = DURATION.exec(text)!;
      return Math.round(Number(amount) * UNIT_MS[unit!]!);
    });
  return schema.register(marks, { duration: true, allowed: 'a duration such as 500ms, 90s, 15m or 24h' });
}

function isMultiple(ms: number, unit: string): boolean {
  return ms % (UNIT_MS[unit] ?? 1) === 0;
}

/** Milliseconds as the shortest text that `duration` reads back. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? 's' : ['d', 'h', 'm', 's'].find((name) => isMultiple(ms, name));
  return unit === undefined ? `${ms}ms` : `${ms / UNIT_MS[unit]!}${unit}`;
}
