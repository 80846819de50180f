import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { until } from './kube.ts';

/** A program of this machine that may be ended and started again as it was. */
export interface Program {
  /** What it has said, over all its starts. */
  log(): string;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** It answers when this resolves. */
  start(): Promise<void>;
}

export interface ProgramOptions {
  /** What a failure calls it. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** Beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Answers 200 when it is up. */
  readonly healthUrl: string;
}

/** Starts it. It ends with this process at the latest. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { name, path, args, logFile, healthUrl } = options;
  const env = { PATH: process.env['PATH'], ...options.env };
  const log = (): string => readFileSync(logFile, 'utf8');
  let child: ChildProcess | undefined;
  process.on('exit', () => child?.kill('SIGKILL'));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    const out = openSync(logFile, 'a');
    const started = spawn(path, args, { env, stdio: ['ignore', out, out] });
    child = started;
    closeSync(out);
    await until(`${name} answers`, async () => {
      if (started.exitCode !== null) throw new Error(`${name} ended: ${log().slice(-2000)}`);
      return (await fetch(healthUrl).catch(() => undefined))?.ok === true;
    });
  };
  await start();
  return { log, stop: () => end('SIGTERM'), kill9: () => end('SIGKILL'), start };
}
