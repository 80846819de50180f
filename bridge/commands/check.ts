import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { createHttp } from '../sinks/http.ts';
import { configured, createDeliverers, SINKS } from '../sinks/index.ts';
import { fileProbes, pageTokenProbes } from './file-probes.ts';
import { oldKeyHint } from './migrate/hint.ts';
import { portProbe, storeProbe } from './local-probes.ts';
import { type Probe, type ProbeResult, renderProbes, runProbes } from './probe.ts';
import { quiet } from './vendor-probes.ts';
import { remoteProbes } from './remote-probes.ts';
import { fileOption, processTerminal, readArguments, type Terminal } from './terminal.ts';

/**
 * `check [--config FILE]`: validates the configuration and tries what the bridge needs: its store, its ports, and
 * `remote` (the Kubernetes API and the vendors). Prints a line for each; returns 1 when anything failed.
 */
export async function checkCommand(
  argv: readonly string[],
  terminal: Terminal = processTerminal,
  remote: (config: Config) => readonly Probe[] | Promise<readonly Probe[]> = remoteProbes,
): Promise<number> {
  const { values } = readArguments('check', argv, { config: { type: 'string' } });
  const config = loadConfig({ ...fileOption(values.config), env: terminal.env });
  const local = [
    storeProbe(config.store.path),
    portProbe('OTLP port', 'otlp', config),
    portProbe('page port', 'web', config),
    ...fileProbes(config),
    ...pageTokenProbes(config),
  ];
  const probes = [configProbe(config, terminal.env), ...local, ...(await remote(config))];
  const results = await runProbes(probes);
  const failed = results.filter(({ ok }) => !ok).length;
  const summary = failed === 0 ? 'All checks passed.' : `${failed} of ${results.length} checks failed.`;
  terminal.print(`${renderProbes(results)}\n\n${summary}`);
  return failed === 0 ? 0 : 1;
}

const NO_DESTINATION = {
  ok: true,
  detail: 'valid, but without a destination',
  next: `Nothing is sent anywhere: set ${Object.entries(SINKS)
    .map(([sink, { setFirst }]) => `${sink}.default.${setFirst}`)
    .join(' or ')}.`,
};

function configProbe(config: Config, env: Terminal['env']): Probe {
  const count = configured(config).length;
  const valid = { ok: true, detail: `valid, ${count} ${count === 1 ? 'destination' : 'destinations'}` };
  const next = oldKeyHint(config, env);
  const none = next === undefined ? NO_DESTINATION : { ...NO_DESTINATION, next };
  return { name: 'configuration', run: async () => (await unreadable(config)) ?? (count > 0 ? valid : none) };
}

/** What a destination cannot be made with: a secret that cannot be read. */
async function unreadable(config: Config): Promise<ProbeResult | undefined> {
  const http = createHttp();
  try {
    const deps = { http, clock: systemClock, ...quiet(config) };
    for (const deliverer of await createDeliverers(config, deps)) deliverer.close?.();
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, detail: error.message, next: error.next };
  } finally {
    await http.close();
  }
}
