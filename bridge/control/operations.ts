import type { Async } from '../lib/async.ts';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import { reasonText } from '../lib/reasons.ts';
import type { ConfiguredDeliverer } from '../sinks/sink.ts';
import type { TestResult } from '../sinks/test-result.ts';
import type { Retirement } from '../store/operations.ts';
import type { ReadStore } from '../store/read.ts';
import type { Store } from '../store/store.ts';
import type { LocalCalls, Tested } from './protocol.ts';

const TEST_MS = 30_000;

export interface OperationsOptions {
  readonly store: Async<Pick<Store, 'resend'> & { retire(on: boolean, by: string, at: number): void }>;
  readonly reader: Pick<ReadStore, 'retirement'>;
  readonly deliverers: readonly ConfiguredDeliverer[];
  readonly clock: Clock;
  /** There may be something to send. */
  readonly wake: () => void;
}

/** What commands may ask of a running bridge. */
export function createOperations(options: OperationsOptions): LocalCalls {
  const { store, reader, deliverers, clock, wake } = options;
  const known = (destination: string | undefined): void => {
    if (destination === undefined || deliverers.some((deliverer) => deliverer.destination === destination)) return;
    const names = deliverers.map((deliverer) => deliverer.destination).join(', ') || 'none';
    throw new UserError(`${destination} is not a destination of this bridge`, `Name one of: ${names}.`);
  };
  const retirement = async () => ({ retirement: currentRetirement(reader, deliverers) });
  return {
    '/resend': async ({ by, ...request }) => {
      known(request.destination);
      if (reader.retirement() !== undefined)
        throw new UserError(
          'the bridge is retired: it sends no telemetry',
          'End that first: lifecycle-bridge retire --undo',
        );
      const configured = deliverers.map((deliverer) => deliverer.destination);
      const resent = await store.resend({ ...request, configured }, by, clock.now());
      wake();
      return resent;
    },
    '/retire': async ({ undo, by }) => {
      await store.retire(!undo, by, clock.now());
      wake();
      return retirement();
    },
    '/retirement': retirement,
    '/test-delivery': async ({ destination }) => {
      known(destination);
      const chosen = deliverers.filter((deliverer) => (destination ?? deliverer.destination) === deliverer.destination);
      return Promise.all(chosen.map(testOne));
    },
  };
}

/** The current retirement; rows that are never sent (dry run, no longer configured) are not waited for. */
export function currentRetirement(
  reader: Pick<ReadStore, 'retirement'>,
  deliverers: readonly Pick<ConfiguredDeliverer, 'destination' | 'dryRun'>[],
): Retirement | undefined {
  const current = reader.retirement();
  const sent = new Set(deliverers.filter(({ dryRun }) => !dryRun).map(({ destination }) => destination));
  return current && { ...current, destinations: current.destinations.filter((row) => sent.has(row.destination)) };
}

async function testOne(deliverer: ConfiguredDeliverer): Promise<Tested> {
  const { destination, dryRun } = deliverer;
  if (dryRun) return { destination, result: 'skipped', text: 'dry run: nothing is sent' };
  if (deliverer.test === undefined) return { destination, result: 'skipped', text: 'has no test delivery' };
  const { delivery, did } = await deliverer.test(AbortSignal.timeout(TEST_MS)).catch(broken);
  if (delivery.outcome === 'delivered') return { destination, result: 'passed', text: did };
  const why = reasonText(delivery.reason, delivery.detail);
  return { destination, result: 'failed', text: [did, why].filter((part) => part !== '').join('; then: ') };
}

/** A sink that throws is a mistake of ours; its message may hold a URL or a key. */
function broken(error: unknown): TestResult {
  const detail = `the sink threw ${error instanceof Error ? error.name : typeof error}`;
  return { did: '', delivery: { outcome: 'retry', reason: 'bad_answer', detail } };
}
