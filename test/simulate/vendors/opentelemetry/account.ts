import type { Tree } from '../../../../bridge/config/tree.ts';
import { sha256Hex } from '../../../../bridge/lib/ids.ts';
import { OTLP_PATHS } from '../../../../bridge/lib/otlp-client.ts';
import type { HttpRequest } from '../../../../bridge/sinks/http.ts';
import { otlpSchema } from '../../../../bridge/sinks/otlp/config.ts';
import { createOtlpDeliverer } from '../../../../bridge/sinks/otlp/deliver.ts';
import type { ArrivedLog, ArrivedSpan } from '../../../vendors/otlp-receiver.ts';
import { readLogs, readSpans } from '../../../vendors/otlp-receiver.ts';
import type { VendorAnswer, VendorRequest } from '../../../vendors/vendor.ts';
import { json } from '../../../vendors/vendor.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkOpentelemetry } from './check.ts';
import { connectOver } from './connect.ts';

/** The spans of one export. */
export interface HeardSpans {
  readonly at: number;
  readonly said: string;
  readonly spans: readonly ArrivedSpan[];
}

export interface HeardLog {
  readonly at: number;
  readonly said: string;
  readonly log: ArrivedLog;
}

/** Of how many exports one is taken but for a record. */
const IN_PART = 20;
/** ExportPartialSuccess: one record was refused, without a reason. */
const ONE_REFUSED = '\n\x02\b\x01';

/** A receiver of OTLP that refuses a wrong token, and at times one record of an export. It does not name that one: it counts as heard. */
export class OpentelemetryAccount implements Account {
  readonly violations: Account['violations'] = [];
  readonly traces: HeardSpans[] = [];
  readonly logs: HeardLog[] = [];
  readonly #host: string;
  #tokens = 0;

  constructor(host: string) {
    this.#host = host;
  }

  settings(): Tree {
    return { endpoint: `https://${this.#host}:4317`, headers: `authorization: Bearer token-${this.#tokens}` };
  }

  rotate(): void {
    this.#tokens++;
  }

  handle({ url, headers, bytes, at }: VendorRequest): VendorAnswer | undefined {
    if (headers.authorization !== `Bearer token-${this.#tokens}`) return json(401, {});
    if (url.pathname === OTLP_PATHS.traces) {
      const spans = readSpans(bytes);
      this.traces.push({ at, said: saidOf(spans), spans });
    } else if (url.pathname === OTLP_PATHS.logs)
      this.logs.push(...readLogs(bytes).map((log) => ({ at, said: idOf(log), log })));
    else return undefined;
    return { status: 200, body: isInPart(bytes) ? ONE_REFUSED : '' };
  }

  said({ url, body = '' }: HttpRequest): string {
    const bytes = Buffer.from(body);
    return url.endsWith(OTLP_PATHS.traces) ? saidOf(readSpans(bytes)) : readLogs(bytes).map(idOf).join(',');
  }

  /** It answers for everything that comes to it. */
  limitOf(): string {
    return '';
  }

  heard(uid: string): string[] {
    const trace = uid.replaceAll('-', '');
    const time = (at: number): string => new Date(at).toISOString();
    return [
      ...this.logs
        .filter(({ log }) => log.traceId === trace)
        .map(({ at, log }) => `${time(at)} ${log.eventName} ${String(log.body)}`),
      ...this.traces
        .filter(({ spans }) => spans[0]?.traceId === trace)
        .map(({ at, spans }) => `${time(at)} a trace of ${spans.length} spans`),
    ];
  }
}

/** By chance, but each time the same. */
function isInPart(bytes: Buffer): boolean {
  return Number.parseInt(sha256Hex(bytes.toString('latin1')).slice(0, 6), 16) % IN_PART === 0;
}

/** The same for the same spans. */
function saidOf(spans: readonly ArrivedSpan[]): string {
  const texts = spans.map(({ traceId, spanId, start, end, status }) =>
    [traceId, spanId, start, end, status.code].join(),
  );
  return sha256Hex(texts.toSorted().join('\n')).slice(0, 32);
}

/** The same for the same line of the journal, whenever it is exported. */
function idOf({ eventName, at, body, traceId, spanId, attributes }: ArrivedLog): string {
  return sha256Hex(JSON.stringify([eventName, String(at), body, traceId, spanId, attributes])).slice(0, 32);
}

export const opentelemetry: SimulatedVendor<OpentelemetryAccount> = {
  sink: 'opentelemetry',
  open: (host) => new OpentelemetryAccount(host),
  check: checkOpentelemetry,
  deliverer(name, settings, deps) {
    const config = otlpSchema.parse(settings);
    return createOtlpDeliverer(name, config, deps, connectOver(deps.http, config));
  },
};
