/** A metric by the name that another tool gave it, for which this one stands in. */
export interface OtherMetric {
  readonly name: string;
  readonly type: 'counter' | 'histogram';
  readonly help: string;
  /** By what follows the name: `{label="value"}`, `_sum`, or nothing. */
  readonly samples: Readonly<Record<string, number>>;
}

/** Those of all destinations in the Prometheus text format, each once, added up; empty without any. */
export function otherMetricsText(metrics: readonly OtherMetric[]): string {
  return [...Map.groupBy(metrics, ({ name }) => name).values()].map(textOf).join('');
}

function textOf(same: readonly OtherMetric[]): string {
  const { name, type, help } = same[0]!;
  const sums = new Map<string, number>();
  for (const { samples } of same)
    for (const [key, value] of Object.entries(samples)) sums.set(key, (sums.get(key) ?? 0) + value);
  const lines = [...sums].map(([key, value]) => `${name}${key} ${value}\n`);
  return [`# HELP ${name} ${help}\n`, `# TYPE ${name} ${type}\n`, ...lines].join('');
}
