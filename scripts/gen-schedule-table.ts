/**
 * Writes test/fixtures/schedule/table.json: what the Go module that Kubernetes uses answers, in a second of Go. Zones
 * come from Go's own copy, so that the machine's do not matter.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { emit } from './gen-write.ts';

const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
const table = execFileSync('go', ['run', '.'], {
  cwd: join(import.meta.dirname, 'schedule-table'),
  encoding: 'utf8',
  env: { ...process.env, TZ: 'UTC', ZONEINFO: join(root, 'lib/time/zoneinfo.zip') },
  maxBuffer: 16 * 1024 * 1024,
});
emit(join(import.meta.dirname, '../test/fixtures/schedule/table.json'), table);
