/** Numbers in [0, 1), the same for the same seed. */
export type Random = () => number;

/** A stream of its own for each name: what one part of the world draws moves nothing of another. */
export function randomOf(...names: readonly (string | number)[]): Random {
  let [a, b, c, d] = hash(names.join('/'));
  const next = (): number => {
    // sfc32
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let n = 0; n < 12; n++) next();
  return next;
}

/** FNV-1a from four beginnings. */
function hash(text: string): [number, number, number, number] {
  const one = (seed: number): number => {
    let value = 0x811c9dc5 ^ seed;
    for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
    return value ^ (value >>> 15);
  };
  return [one(1), one(2), one(3), one(4)];
}

/** A whole number from `low` to `high`, both included. */
export function whole(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

export function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

export function pick<T>(random: Random, of: readonly T[]): T {
  return of[Math.floor(random() * of.length)]!;
}

/** One of the names, each as often as its weight says. */
export function weighted<K extends string>(random: Random, weights: Readonly<Record<K, number>>): K {
  const entries = Object.entries<number>(weights) as [K, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) if ((left -= weight) < 0) return name;
  return entries.at(-1)![0];
}

/** Mostly near `low`, seldom near `high`: as durations and latencies are. */
export function skewed(random: Random, low: number, high: number): number {
  return low * (high / low) ** (random() ** 2);
}

/** A random UUID of version 4. */
export function uuid(random: Random): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
