import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { otlpPortProbe, storeProbe } from './local-probes.ts';
import { type Probe, renderProbes, runProbes } from './probe.ts';
import { remoteProbes } from './remote-probes.ts';
import { fileOption, processTerminal, readArguments, type Terminal } from './terminal.ts';

const USAGE = 'lifecycle-bridge check [--config FILE]';

/**
 * `check [--config FILE]`: validates the configuration and tries what the bridge needs: its store, its port, and
 * `remote` (the Kubernetes API and the vendors). Prints a line for each; returns 1 when anything failed.
 */
export async function checkCommand(
  argv: readonly string[],
  terminal: Terminal = processTerminal,
  remote: (config: Config) => readonly Probe[] = remoteProbes,
): Promise<number> {
  const { values } = readArguments(argv, USAGE, ['config'], 0);
  const config = loadConfig({ ...fileOption(values['config']), env: terminal.env });
  const probes = [configProbe(config), storeProbe(config.store.path), otlpPortProbe(config), ...remote(config)];
  const results = await runProbes(probes);
  const failed = results.filter(({ ok }) => !ok).length;
  const summary = failed === 0 ? 'All checks passed.' : `${failed} of ${results.length} checks failed.`;
  terminal.print(`${renderProbes(results)}\n\n${summary}`);
  return failed === 0 ? 0 : 1;
}

const NO_DESTINATION = {
  ok: true,
  detail: 'valid, but without a destination',
  next: 'Nothing is sent anywhere: set cronitor.default.apiKeyFile, or LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY.',
};

function configProbe(config: Config): Probe {
  const count = Object.keys(config.cronitor).length;
  const valid = { ok: true, detail: `valid, ${count} ${count === 1 ? 'destination' : 'destinations'}` };
  return { name: 'configuration', run: () => Promise.resolve(count > 0 ? valid : NO_DESTINATION) };
}
