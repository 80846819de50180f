import { askBridge } from '../control/client.ts';
import { LOCAL_OPTIONS, storeOf } from './local.ts';
import { columns, processTerminal, readArguments, type Terminal } from './terminal.ts';

const OPTIONS = { ...LOCAL_OPTIONS, destination: { type: 'string' } } as const;

const SIGNS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/**
 * `test-delivery`: the running bridge sends something harmless to every destination, which proves address, key and the
 * way there. Returns 1 when one failed. Throws a UserError when no bridge runs.
 */
export async function testDeliveryCommand(
  argv: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  const { values } = readArguments('test-delivery', argv, OPTIONS);
  const request = { destination: values.destination };
  const results = await askBridge(storeOf(values, terminal.env), '/test-delivery', request);
  if (results.length === 0) terminal.print('This bridge has no destination: nothing is sent anywhere.');
  else
    terminal.print(columns(results.map(({ destination, result, text }) => [SIGNS[result], destination, result, text])));
  return results.some(({ result }) => result === 'failed') ? 1 : 0;
}
