/** Bytes of OTLP that no writer makes by itself: too deep, in parts, too many. */

/** A length-delimited protobuf field. */
export function field(id: number, content: Uint8Array): Buffer {
  const head = [(id << 3) | 2];
  let length = content.length;
  for (; length > 127; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  return Buffer.concat([Buffer.from([...head, length]), content]);
}

/** An export whose only scope has these log records: their fields, one after the other. */
export const requestOf = (logRecords: Uint8Array): Buffer => field(1, field(2, logRecords));
/** An export of one record with this AnyValue as its body. */
export const requestWithBody = (anyValue: Uint8Array): Buffer => requestOf(field(2, field(5, anyValue)));

/** An AnyValue inside `levels` - 1 others, which `wrap` puts around it. */
export function nested(levels: number, wrap: (inner: Buffer) => Buffer): Buffer {
  let value: Buffer = field(1, Buffer.from('x'));
  for (let level = 1; level < levels; level++) value = wrap(value);
  return value;
}
export const inArray = (inner: Buffer): Buffer => field(5, field(1, inner));
export const inKvlist = (inner: Buffer): Buffer => field(6, field(1, field(2, inner)));
