/** Shorter encodings are part of ordinary words. */
const SHORTEST_ENCODED = 8;

/**
 * The texts in which a secret may come back: as it is, as JSON and URLs spell it, in hexadecimal and in base64, padded or
 * not, url-safe, and within more that was encoded with it, as user and password of Basic are. Longest first.
 */
export function secretForms(secret: string): string[] {
  if (secret === '') return [];
  const bytes = Buffer.from(secret);
  const url = encodeURIComponent(secret.toWellFormed());
  const spelled = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    url,
    url.replaceAll(/%../g, (hex) => hex.toLowerCase()),
  ];
  const hex = bytes.toString('hex');
  const whole = [secret, `${secret}:`].map((text) => Buffer.from(text).toString('base64'));
  const base64 = [
    ...whole,
    ...whole.map((text) => text.replace(/=+$/, '')),
    ...[0, 1, 2].map((before) => encodedAfter(bytes, before)),
  ];
  const encoded = [hex, hex.toUpperCase(), ...base64, ...base64.map(urlSafe)];
  const long = encoded.filter((form) => form.length >= SHORTEST_ENCODED);
  return [...new Set([...spelled, ...long])].toSorted((a, b) => b.length - a.length);
}

/** The base64 that is the same whatever stands around the bytes, for this number of bytes before them. */
function encodedAfter(bytes: Uint8Array, before: number): string {
  const length = before + bytes.length;
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor((length * 8) / 6));
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
