import { timeZone } from '../../kubernetes/time-zone.ts';

const MINUTE_MS = 60_000;

/** An instant as Go's time.RFC3339 writes it in a zone: whole seconds and the offset, which is Z where it is none. */
export function rfc3339(at: number, zone: string): string {
  const offsetMs = timeZone(zone)?.offsetAt(at) ?? 0;
  const local = new Date(Math.floor(at / 1000) * 1000 + offsetMs).toISOString().slice(0, 19);
  const minutes = Math.trunc(Math.abs(offsetMs) / MINUTE_MS);
  if (offsetMs === 0) return `${local}Z`;
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${local}${offsetMs < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}
