import type { CallMessage } from '../../bridge/ingest/thread/protocol.ts';
import type { Bridge } from './bridge.ts';
import type { Export, ExportAnswer } from './collector.ts';
import { chance, randomOf, skewed } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';
import type { Shown } from './shown.ts';
import type { Answered } from './thread.ts';
import { resultOf } from './trace.ts';
import type { Weather } from './weather.ts';

export interface LinkOptions {
  readonly seed: string;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly shown: Shown;
  readonly bridge: () => Bridge | undefined;
  readonly say: (text: string) => void;
}

/** The way from the Collector to the bridge and back. */
export class Link {
  readonly #options: LinkOptions;
  readonly #exports = new WeakMap<Uint8Array, Export>();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  send(request: Export): Promise<ExportAnswer> {
    const { scheduler, weather, seed } = this.#options;
    const bridge = this.#options.bridge();
    const random = randomOf(seed, 'link', scheduler.happened);
    this.#exports.set(request.bytes, request);
    return new Promise((resolve) => {
      const end = (answer: ExportAnswer): void =>
        void scheduler.in(skewed(random, 1, 50), () => resolve(answer), WORLD);
      if (weather.is('link-cut')) return void scheduler.in(skewed(random, 10, 30_000), () => end('lost'), WORLD);
      if (bridge === undefined || !bridge.ready) return end('lost');
      const late = scheduler.in(30_000, () => end('lost'), WORLD);
      bridge.ingest(request.bytes, (answer) => {
        if (weather.is('link-mute') && chance(random, 0.8)) return;
        late.run = undefined;
        end(answer);
      });
    });
  }

  /** The bridge's other thread has answered a call. */
  answered(call: CallMessage, answer: Answered): void {
    const { shown, say, bridge } = this.#options;
    const text = 'error' in answer ? answer.error : resultOf(answer.value);
    if (call.method === 'ingest') {
      const records = this.#exports.get(call.args[0])?.records ?? [];
      say(`export of ${records.length} ${text}`);
      if (text !== 'committed') return;
      const isLast = records.filter(({ object, type }) => shown.add(object, type === 'DELETED')).length > 0;
      if (isLast) bridge()?.death.left('answer');
    } else if ('value' in answer) shown.read(call);
  }
}
