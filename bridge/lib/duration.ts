import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Ten years: with more, a time before or after now may be none that a computer knows. */
const MOST = '3650d';

/** Schema of a text such as 500ms, 90s, 15m, 24h, 7d, which it reads as milliseconds; `least` is written so too. */
export function duration(least = '0s') {
  const allowed = `a duration such as 500ms, 90s, 15m or 24h, ${least === '0s' ? 'at most' : `from ${least} to`} ${MOST}`;
  const isPossible = (ms: number): boolean => ms >= milliseconds(least) && ms <= milliseconds(MOST);
  return z
    .string()
    .regex(DURATION)
    .transform(milliseconds)
    .refine(isPossible, { error: `allowed: ${allowed}`, abort: true })
    .meta({ duration: true, allowed });
}

function milliseconds(text: string): number {
  const [, amount, unit = ''] = DURATION.exec(text) ?? [];
  return Math.round(Number(amount) * (UNIT_MS[unit] ?? NaN));
}

function isMultiple(ms: number, unit: string): boolean {
  return ms % (UNIT_MS[unit] ?? 1) === 0;
}

/** Milliseconds as the shortest text that `duration` reads back. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? 's' : ['d', 'h', 'm', 's'].find((name) => isMultiple(ms, name));
  return unit === undefined ? `${ms}ms` : `${ms / UNIT_MS[unit]!}${unit}`;
}
