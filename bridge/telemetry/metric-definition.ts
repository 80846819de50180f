/** What one metric is. Names and units follow OpenTelemetry; `prometheusName` says how /metrics spells them. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
}
