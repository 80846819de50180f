import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';

/** Clock ticks of the kernel in a second: 100 on every Linux. */
const TICKS = 100;
const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** A process of a bench that is asked by messages; it ends with this one. */
export function startChild(file: string, ...args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, file), args);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** The next message of a process, after asking it something. */
export async function ask<T>(child: ChildProcess, question?: object | string): Promise<T> {
  const done = new AbortController();
  const { signal } = done;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('a process of the bench ended');
  });
  const answered = once(child, 'message', { signal });
  if (question !== undefined) child.send(question);
  try {
    const [message] = (await Promise.race([answered, ended])) as [T];
    return message;
  } finally {
    ended.catch(() => undefined);
    answered.catch(() => undefined);
    done.abort();
  }
}

/** Resident memory of a process now and at its highest, in MiB. */
export function memory(pid: number | undefined): { readonly nowMb: number; readonly peakMb: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024);
  return { nowMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

/** CPU seconds that a process has used; 0 when it is gone. */
export function cpuSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/** Ms that the threads of a process have spent on a CPU, by the kernel's nanoseconds; 0 when it is gone. */
export function onCpuMs(pid: number | undefined): number {
  return Object.values(onCpuByThread(pid)).reduce((sum, ms) => sum + ms, 0);
}

/** The same by the names of the threads; none when it is gone. */
export function onCpuByThread(pid: number | undefined): Readonly<Record<string, number>> {
  const byName: Record<string, number> = {};
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const of = (file: string): string => readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8');
      const [ns, name] = [Number(of('schedstat').split(' ')[0]), of('comm').trim()];
      byName[name] = (byName[name] ?? 0) + ns / 1e6;
    }
    return byName;
  } catch {
    return {};
  }
}

/** The value below which a share of the values is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function round(value: number, digits = 1): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Where the figures come from. */
export function machine(): object {
  const load = loadavg().map((value) => round(value, 2));
  return { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version, load };
}

const began = Date.now();

/** A line of progress on standard error. */
export function say(text: string): void {
  console.error(`[${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s] ${text}`);
}

/** Prints rows under their names, right-aligned. */
export function printTable(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const line = (cells: readonly (string | number | undefined)[]): string =>
    cells.map((cell, at) => String(cell).padStart(widths[at]!)).join('  ');
  console.log(line(names));
  for (const row of rows) console.log(line(names.map((name) => row[name])));
}
