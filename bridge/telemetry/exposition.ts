import { labelName } from './names.ts';

/** Labels of a series by their names, as OpenTelemetry has them. */
export type Labels = Readonly<Record<string, string>>;

/** The run that is shown as an example of a sample. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Ms since 1970. */
  readonly at: number;
}

/** The two formats that Prometheus reads. Only OpenMetrics has exemplars. */
export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4',
  openmetrics: 'application/openmetrics-text; version=1.0.0',
};

const VERSIONS: ReadonlySet<string> = new Set(['1.0.0', '0.0.1', '']);

/** The format that is wanted most by the header Accept of a request; Prometheus' own where that is said of none. */
export function formatOf(accept = ''): Format {
  let [openmetrics, text] = [0, 0];
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((one) => one.trim());
    const of = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    const q = of('q') === '' ? 1 : Number(of('q')) || 0;
    if (type === 'application/openmetrics-text' && VERSIONS.has(of('version').replaceAll('"', '')))
      openmetrics = Math.max(openmetrics, q);
    if (type === 'text/plain') text = Math.max(text, q);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'prometheus';
}

/** One sample: `name{label="value"} 3`, and in OpenMetrics `# {trace_id="…"} 2.5 1700000000`. */
export function sampleLine(name: string, labels: Labels, value: number, format: Format, exemplar?: Exemplar): string {
  return pairsLine(name, labelPairs(labels), value, format, exemplar);
}

/** Labels as they stand between the braces. */
export function labelPairs(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, text]) => `${labelName(key)}="${escaped(text)}"`)
    .join(',');
}

/** A sample whose labels are written already: a histogram has the same ones many times. */
export function pairsLine(name: string, pairs: string, value: number, format: Format, exemplar?: Exemplar): string {
  const series = pairs === '' ? name : `${name}{${pairs}}`;
  const shown =
    exemplar === undefined || format === 'prometheus'
      ? ''
      : ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.at / 1000}`;
  return `${series} ${value}${shown}\n`;
}

/** What stands before the samples of a metric; `name` is without `_total`. */
export function headLines(name: string, type: string, help: string, format: Format): string {
  const family = type === 'counter' && format === 'prometheus' ? `${name}_total` : name;
  return `# HELP ${family} ${escaped(help, format === 'prometheus')}\n# TYPE ${family} ${type}\n`;
}

/** A bound of a histogram; OpenMetrics writes whole numbers as `1.0`. */
export function boundText(bound: number, format: Format): string {
  if (bound === Infinity) return '+Inf';
  return Number.isInteger(bound) && format === 'openmetrics' ? `${bound}.0` : String(bound);
}

function escaped(text: string, isHelp = false): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return isHelp ? plain : plain.replaceAll('"', '\\"');
}

const BOUND = /(?<=[{,])le="(\d+)"/;
const HEAD = /^# (HELP|TYPE) (\S+) (.*)$/;
const TOTAL = '_total';

/**
 * The Prometheus text format as OpenMetrics: families of counters are named without `_total`, and a counter whose samples do
 * not end so is of an unknown type; whole bounds get a fraction.
 */
export function asOpenMetrics(text: string): string {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  const lines = text.split('\n').flatMap((line) => {
    if (line === '') return [];
    if (!line.startsWith('#')) return [line.replace(BOUND, 'le="$1.0"')];
    const [, word, name = '', rest = ''] = HEAD.exec(line) ?? [];
    if (word === undefined) return [];
    const isCounter = types.get(name) === 'counter';
    const family = isCounter && name.endsWith(TOTAL) ? name.slice(0, -TOTAL.length) : name;
    if (word === 'HELP') return [`# HELP ${family} ${rest.replaceAll('"', '\\"')}`];
    return [`# TYPE ${family} ${isCounter && family === name ? 'unknown' : rest}`];
  });
  return lines.map((line) => `${line}\n`).join('');
}
