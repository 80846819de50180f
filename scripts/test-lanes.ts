import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Report, summaryOf } from './test-summary.ts';

/**
 * node scripts/test-lanes.ts FOLDER LANE...: runs projects of vitest.config.ts. A lane names some ('unit replay'), which run one
 * after the other; lanes run side by side. What a project says goes to FOLDER and is printed whole when it ends, so that
 * lanes do not mix. At last it says which tests failed, and which did at first; exit code 1 if one failed.
 */
const [folder = '', ...lanes] = process.argv.slice(2);
const projects = lanes.map((lane) => lane.split(' '));

const reports = await Promise.all(projects.map(runLane));
const { lines, failed } = summaryOf(reports.flat());
console.log(`\n== done (${seconds()} s)\n${lines.join('\n')}`);
process.exitCode = failed ? 1 : 0;

async function runLane(lane: readonly string[]): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for (const project of lane) reports.push(await runProject(project));
  return reports;
}

async function runProject(project: string): Promise<Report> {
  const [file, log] = [join(folder, `${project}.json`), join(folder, `${project}.log`)];
  const start = seconds();
  console.log(`${project} tests begin (${start} s)`);
  const out = openSync(log, 'w');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const child = spawn('vitest', ['run', '--project', project, ...reporters], { stdio: ['ignore', out, out] });
  closeSync(out);
  const [code] = (await once(child, 'exit')) as [number | null];
  console.log(`\n== ${project} tests (${start} to ${seconds()} s)\n${readFileSync(log, 'utf8')}`);
  const result = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report['result']) : undefined;
  return { project, isFailed: code !== 0, result };
}

/** Since the start. */
function seconds(): number {
  return Math.round(performance.now() / 1000);
}
