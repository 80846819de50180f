import type { App } from '../app/app.ts';
import { loadConfig } from '../config/load.ts';
import { configSecrets, printConfig } from '../config/print.ts';
import type { Config } from '../config/schema.ts';
import { StoreLostError } from '../ingest/thread/client.ts';
import { systemClock } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { VERSION } from '../lib/version.ts';
import { configured, described } from '../sinks/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogExport } from '../telemetry/log-export.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { createLogger, stdout, teed } from '../telemetry/logger.ts';
import { oldKeyHint } from './migrate/hint.ts';
import { stopSignal } from './signals.ts';
import { fileOption, readArguments } from './terminal.ts';

/**
 * `run [--config FILE] [--print-config]`: the bridge, until SIGINT or SIGTERM. Returns the exit code: 1 when a part
 * ended that it cannot live without; only a lost store makes it start again by itself. Throws a `UserError` when it cannot start.
 */
export async function runCommand(argv: string[]): Promise<number> {
  const { values } = readArguments('run', argv, { config: { type: 'string' }, 'print-config': { type: 'boolean' } });
  const began = Date.now();
  const config = loadConfig({ env: process.env, ...fileOption(values.config) });
  if (values['print-config'] === true) {
    console.log(printConfig(config));
    return 0;
  }
  const { level, otlpEndpoint } = config.log;
  const [sent, traces] = await Promise.all([
    otlpEndpoint === undefined ? undefined : exportTo(otlpEndpoint, config.cluster.name),
    tracesOf(config, began),
  ]);
  const logger = createLogger(level, configSecrets(config), sent && teed(stdout(), sent));
  const hint = oldKeyHint(config, process.env);
  if (hint !== undefined) logger.warn(`nothing is sent anywhere: ${hint}`);
  const stopped = stopSignal();
  const { startApp } = await import('../app/app.ts'); // large: what ends before this should not wait for it
  for (;;) {
    const startedAt = performance.now();
    const app = await startApp({ config, clock: systemClock, logger, tracer: traces?.tracer });
    logStarted(logger, config, app);
    const code = await serveUntil(app, logger, stopped);
    // The next start makes a new store. A disk on which that does not last needs a person.
    if (code !== STORE_LOST || performance.now() - startedAt < LASTS_MS) {
      await Promise.all([sent?.stop(), traces?.stop()]);
      return code === STORE_LOST ? 1 : code;
    }
    logger.error('the store is lost; starting again with a new one');
  }
}

/** Large too: who does not export the log does not load it. */
async function exportTo(endpoint: string, clusterName: string): Promise<LogExport> {
  const { startLogExport } = await import('../telemetry/log-export.ts');
  return startLogExport(endpoint, clusterName);
}

/** The spans of the bridge itself, with that of its configuration: that was loaded from `began` until now. */
async function tracesOf(config: Config, began: number): Promise<Tracing | undefined> {
  const { otlpEndpoint, sampleRatio } = config.tracing;
  if (otlpEndpoint === undefined) return undefined;
  const ended = Date.now();
  const [{ startTracing }, { configSpan }] = await Promise.all([
    import('../telemetry/tracing.ts'),
    import('../telemetry/own-spans.ts'),
  ]);
  const traces = startTracing(otlpEndpoint, sampleRatio, config.cluster.name);
  configSpan(traces.tracer, began, ended, configured(config).length);
  return traces;
}

const STORE_LOST = 75;
const LASTS_MS = 10_000;

/** One line with everything that others need to reach the bridge; the scripts read it. */
export function logStarted(logger: Logger, config: Config, app: App): void {
  logger.info(
    {
      version: VERSION,
      cluster: config.cluster.name,
      otlpPort: app.otlpPort,
      webPort: app.webPort,
      ...(config.web.publicUrl !== undefined && { page: config.web.publicUrl }),
      store: config.store.path,
      destinations: configured(config).map(described),
    },
    'started',
  );
}

/** Until a signal, or the end of a part that the bridge cannot live without; then stops in order. */
export async function serveUntil(app: App, logger: Logger, stopped: Promise<NodeJS.Signals>): Promise<number> {
  const end = await Promise.race([stopped, app.failed]);
  if (typeof end === 'string') logger.info({ signal: end }, 'stopping');
  else logger.fatal({ error: errorText(end) }, 'cannot go on; stopping');
  const last = setTimeout(() => killSelf(logger), LAST_MS);
  const inOrder = await app.stop();
  clearTimeout(last);
  logger[inOrder ? 'info' : 'error'](inOrder ? 'stopped' : 'stopped by force: the thread of the store did not answer');
  if (typeof end === 'string') return inOrder ? 0 : 1;
  return end instanceof StoreLostError ? STORE_LOST : 1;
}

/** Kubernetes waits 30 s, and its SIGKILL says nothing. */
const LAST_MS = 27_000;

/** A thread inside the system (a disk that does not answer) cannot be ended; no other way out of the process is left. */
function killSelf(logger: Logger): void {
  logger.fatal('the thread of the store could not even be ended by force; the process kills itself');
  process.kill(process.pid, 'SIGKILL');
}
