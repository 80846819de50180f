import type { Thread } from '../../bridge/ingest/thread/client.ts';
import type { CallMessage, WorkerInit, WorkerMessage } from '../../bridge/ingest/thread/protocol.ts';
import { serve } from '../../bridge/ingest/thread/service.ts';
import type { Random } from './random.ts';
import { whole } from './random.ts';
import type { Program, Scheduler } from './scheduler.ts';

export interface ThreadOptions {
  readonly scheduler: Scheduler;
  readonly program: Program;
  readonly random: Random;
  /** Each call with what was answered to it, at the moment of the answer. */
  readonly onAnswered: (call: CallMessage, answer: Answered) => void;
}

export type Answered = { readonly value: unknown } | { readonly error: string };

/** The worker thread on the virtual clock: a message takes a moment, there and back, and none overtakes another. */
export class SimulatedThread implements Thread {
  readonly #options: ThreadOptions;
  readonly #asked = new Map<number, CallMessage>();
  readonly #there: Line<CallMessage>;
  readonly #back: Line<WorkerMessage>;
  #isKilled = false;
  #take: (calls: readonly CallMessage[]) => void = () => undefined;
  #hear: (messages: readonly WorkerMessage[]) => void = () => undefined;
  #exit: (code: number) => void = () => undefined;

  constructor(init: WorkerInit, options: ThreadOptions) {
    this.#options = options;
    this.#there = new Line(options, (calls) => this.#isKilled || this.#take(calls));
    this.#back = new Line(options, (messages) => this.#hear(messages));
    options.scheduler.in(1, () =>
      serve(init, {
        post: (messages) => this.#post(messages),
        onCalls: (take) => void (this.#take = take),
        next: () => undefined,
      }),
    );
  }

  on(_event: 'message', hear: (messages: readonly WorkerMessage[]) => void): void {
    this.#hear = hear;
  }

  once(event: 'error' | 'exit', hear: (value: never) => void): void {
    if (event === 'exit') this.#exit = hear as (code: number) => void;
  }

  postMessage(calls: readonly CallMessage[]): void {
    for (const call of calls) this.#asked.set(call.id, call);
    this.#there.send(calls);
  }

  /** In the middle of what it does: what it has posted is under way, and nothing more comes of it. */
  kill(): void {
    this.#isKilled = true;
  }

  /** Past every message: how a killed thread's files are closed. */
  close(): void {
    this.#take([{ id: -1, method: 'close', args: [] }]);
  }

  terminate(): Promise<void> {
    this.#exit(0);
    return Promise.resolve();
  }

  #post(messages: readonly WorkerMessage[]): void {
    if (!this.#options.program.alive || this.#isKilled) return;
    for (const message of messages) {
      if (message.type === 'answer') for (const id of message.ids) this.#answered(id, { value: message.value });
      else if (message.type === 'failed') this.#answered(message.id, { error: message.error });
    }
    this.#back.send(messages);
  }

  #answered(id: number, answer: Answered): void {
    const call = this.#asked.get(id);
    this.#asked.delete(id);
    if (call !== undefined) this.#options.onAnswered(call, answer);
  }
}

/** One way between the two threads. What is sent while something is under way arrives with it, behind it. */
class Line<M> {
  readonly #options: ThreadOptions;
  readonly #arrive: (messages: readonly M[]) => unknown;
  #underWay: M[] = [];

  constructor(options: ThreadOptions, arrive: (messages: readonly M[]) => unknown) {
    this.#options = options;
    this.#arrive = arrive;
  }

  send(messages: readonly M[]): void {
    const { scheduler, program, random } = this.#options;
    this.#underWay.push(...messages);
    if (this.#underWay.length > messages.length) return;
    scheduler.in(
      whole(random, 0, 2),
      () => {
        const arrived = this.#underWay;
        this.#underWay = [];
        this.#arrive(arrived);
      },
      program,
    );
  }
}
