import type { IncomingHttpHeaders } from 'node:http';

/** A request as a vendor sees it. */
export interface VendorRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Buffer;
  readonly remoteAddress: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface VendorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One simulated vendor. */
export interface Vendor {
  /** The answer to a request of this vendor's API; undefined when it is none. */
  handle(request: VendorRequest): VendorAnswer | undefined;
  /** Everything that it knows, as JSON for tests in other processes. */
  state(): object;
  /** Its part of the page. */
  html(): string;
  clear(): void;
}

export function json(status: number, value: unknown): VendorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** Text as HTML. */
export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
}
