/** Runs every generator; with --check none writes, and a file that differs fails the run. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const GENERATORS = [
  'gen-redaction.ts',
  'gen-schema.ts',
  'gen-watches.ts',
  'gen-collector.ts',
  'gen-schedule-table.ts',
  'gen-charts.ts',
  'gen-sink-docs.ts',
  'gen-config-doc.ts',
  'gen-metrics-doc.ts',
  'gen-metrics-registry.ts',
  'gen-telemetry-doc.ts',
];

for (const generator of GENERATORS) {
  const args = [join(import.meta.dirname, generator), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
