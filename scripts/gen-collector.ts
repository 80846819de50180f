/**
 * Writes the sources of the test Collectors (scripts/tools.d/otelcol, otelcol-next) from their builder.yaml with the
 * OpenTelemetry Collector Builder. They are committed so that a build needs nothing but Go modules whose checksums are in
 * go.sum.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emit } from './gen-write.ts';

/** Folder → release of the builder, which is that of the Collector. */
const COLLECTORS = { otelcol: '0.111.0', 'otelcol-next': '0.140.0' };

function generate(folder: string, release: string): void {
  const work = mkdtempSync(join(tmpdir(), 'gen-collector-'));
  try {
    const config = join(folder, 'builder.yaml');
    const env = { ...process.env, GOWORK: 'off', GOFLAGS: '-buildvcs=false -mod=mod' };
    const builder = `go.opentelemetry.io/collector/cmd/builder@v${release}`;
    const args = ['run', builder, '--skip-compilation', '--config', config];
    const built = spawnSync('go', args, { cwd: work, env, encoding: 'utf8' });
    if (built.error) throw new Error(`Go cannot be run (${built.error.message}): install it, see scripts/tools`);
    if (built.status !== 0) throw new Error(`the Collector Builder failed:\n${built.stdout}${built.stderr}`);
    for (const file of readdirSync(join(work, 'build'))) {
      emit(join(folder, file), readFileSync(join(work, 'build', file), 'utf8'));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

for (const [folder, release] of Object.entries(COLLECTORS))
  generate(join(import.meta.dirname, 'tools.d', folder), release);
