/** Texts up to this length are faster written here than by a call of Node. */
const SHORT = 48;

/** Protobuf from its end to its beginning: the length of a message is known once its own bytes are there. */
export class BackwardWriter {
  #bytes = Buffer.allocUnsafe(1 << 13);
  #start = this.#bytes.length;

  /** How much is written. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#start));
  }

  /** A message or a text as it was written since `from`, as field `id`. */
  end(id: number, from: number): void {
    this.varint(this.length - from);
    this.byte((id << 3) | 2);
  }

  text(id: number, text: string): void {
    const from = this.length;
    if (text.length > SHORT || !this.#ascii(text)) this.write(text);
    this.end(id, from);
  }

  fixed64(id: number, value: bigint): void {
    this.#room(8);
    this.#bytes.writeBigUInt64LE(value, (this.#start -= 8));
    this.byte((id << 3) | 1);
  }

  double(id: number, value: number): void {
    this.#room(8);
    this.#bytes.writeDoubleLE(value, (this.#start -= 8));
    this.byte((id << 3) | 1);
  }

  int(id: number, value: number | bigint): void {
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) this.#wide(BigInt.asUintN(64, BigInt(value)));
    else this.varint(Number(value));
    this.byte(id << 3);
  }

  varint(value: number): void {
    if (value < 128) return this.byte(value);
    let size = 1;
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
    this.#room(size);
    let at = (this.#start -= size);
    for (let rest = value; size > 0; rest = Math.floor(rest / 128)) this.#bytes[at++] = (rest % 128) | (--size && 128);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[--this.#start] = value;
  }

  write(value: string | Uint8Array): void {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    this.#room(size);
    this.#start -= size;
    if (typeof value === 'string') this.#bytes.write(value, this.#start);
    else this.#bytes.set(value, this.#start);
  }

  /** Whether the text is ASCII, and written. */
  #ascii(text: string): boolean {
    this.#room(text.length);
    const bytes = this.#bytes;
    let at = this.#start;
    for (let n = text.length - 1; n >= 0; n--) {
      const code = text.charCodeAt(n);
      if (code > 127) return false;
      bytes[--at] = code;
    }
    this.#start = at;
    return true;
  }

  #wide(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 7n) {
      bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
      if (rest <= 127n) break;
    }
    this.write(Uint8Array.from(bytes));
  }

  #room(size: number): void {
    if (this.#start >= size) return;
    const { length } = this;
    const wider = Buffer.allocUnsafe(2 * (this.#bytes.length + size));
    this.#bytes.copy(wider, wider.length - length, this.#start);
    this.#start = wider.length - length;
    this.#bytes = wider;
  }
}
