/** True for a text of more than `max` code points. */
export function isLonger(text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || Array.from(text).length > max);
}

/** At most `max` code points: the rest becomes one "…" at the end. */
export function shorten(text: string, max: number): string {
  const points = Array.from(text);
  return points.length <= max ? text : `${points.slice(0, max - 1).join('')}…`;
}

/** At most `max` code points, the middle cut out: head and tail share the rest, an even length gives the head one more. */
export function shortenMiddle(text: string, max: number): string {
  const points = Array.from(text);
  if (points.length <= max) return text;
  const half = (max - 1) / 2;
  const head = points.length % 2 === 0 ? Math.ceil(half) : Math.floor(half);
  return `${points.slice(0, head).join('')}…${points.slice(head + 1 - max).join('')}`;
}
