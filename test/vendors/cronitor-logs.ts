import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { VendorAnswer, VendorRequest } from './vendor.ts';
import { json } from './vendor.ts';

/** The log of one series, as it was uploaded. */
export interface UploadedLog {
  readonly at: number;
  readonly monitor: string;
  readonly series: string;
  readonly text: string;
}

/** What is wrong with a request: the answer, and the words for the violation. */
export interface LogRefusal {
  readonly status: number;
  readonly detail: string;
}

const presignSchema = z.strictObject({ job_key: z.string().min(1), series: z.string().min(1) });

/** What an HTTP client cannot leave out; any other header would not be part of what was signed. */
const PUT_HEADERS = new Set(['host', 'connection', 'content-length']);
const STORAGE = '/log-storage/';

/** Cronitor's log API (an address is asked for, then written to) and the storage behind it. */
export class CronitorLogs {
  readonly uploads: UploadedLog[] = [];
  private readonly addresses = new Map<string, { readonly monitor: string; readonly series: string }>();

  static isStorage(pathname: string): boolean {
    return pathname.startsWith(STORAGE);
  }

  /** The address for a series; the key and the common headers are checked already. */
  presign({ method, headers, body }: VendorRequest): VendorAnswer | LogRefusal {
    if (method !== 'POST') return { status: 405, detail: `${method} presign` };
    const asked = presignSchema.safeParse(parsed(body));
    if (!asked.success) return { status: 400, detail: 'presign takes job_key and series' };
    const signature = randomUUID();
    this.addresses.set(signature, { monitor: asked.data.job_key, series: asked.data.series });
    return json(200, { url: `http://${headers.host}${STORAGE}${asked.data.series}?X-Signature=${signature}` });
  }

  put({ method, url, headers, bytes, at }: VendorRequest): VendorAnswer | LogRefusal {
    const address = this.addresses.get(url.searchParams.get('X-Signature') ?? '');
    if (method !== 'PUT' || address === undefined) return { status: 403, detail: 'the signature does not match' };
    const extra = Object.keys(headers).filter((name) => !PUT_HEADERS.has(name));
    if (extra.length > 0) return { status: 403, detail: `headers that are not signed: ${extra.join(', ')}` };
    try {
      this.uploads.push({ at, ...address, text: gunzipSync(bytes).toString() });
    } catch {
      return { status: 400, detail: 'the body is not gzip' };
    }
    return { status: 200, body: '' };
  }

  clear(): void {
    this.uploads.length = 0;
    this.addresses.clear();
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
