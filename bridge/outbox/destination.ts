import type { Async } from '../lib/async.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { ClaimedDesired, ClaimedIntent, ConfiguredDeliverer, Delivery, Limit } from '../sinks/sink.ts';
import type { ClaimedJournal, SettledJournal } from '../store/journal.ts';
import type { OutboxStore, Settled, SettledDesired } from '../store/outbox-store.ts';
import type { Work } from '../store/work.ts';
import { answers } from './answers.ts';
import type { Ask } from './asks.ts';
import { Asks } from './asks.ts';
import { Limiter } from './limiter.ts';
import { scheduled } from './retry.ts';
import { Settlements } from '../lib/settlements.ts';
import { Wake } from '../lib/wake.ts';

/** Most intents of one destination that are claimed at once, sent or about to be. */
const MAX_IN_FLIGHT = 16;

const DRY_RUN: Delivery = { outcome: 'drop', reason: 'dry_run' };

export interface DestinationOptions {
  readonly store: Async<OutboxStore>;
  readonly clock: Clock;
  readonly random: () => number;
  /** How often a loop looks without being woken, and when something went wrong. */
  readonly tickMs: number;
  readonly retryMs: number;
  readonly onSettled: (destination: string, delivery: Delivery, what: 'intent' | 'desired' | 'journal') => void;
  readonly onError: (error: unknown) => void;
}

/** The loop of one destination: claims what may be sent, sends it within its limits, settles the answers. */
export class DestinationLoop {
  readonly #deliverer: ConfiguredDeliverer;
  readonly #options: DestinationOptions;
  readonly #limiter = new Limiter();
  readonly #wake = new Wake();
  readonly #abort = new AbortController();
  readonly #asks: Asks;
  readonly #intents: Settlements<Settled, Work | undefined>;
  readonly #desired: Settlements<SettledDesired, Work | undefined>;
  readonly #journal: Settlements<SettledJournal>;
  /** Sends with their settlement; they never reject. */
  readonly #sends = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  /** Claimed, but not sent before a limit that it shares with others of the same claim is free. */
  #waiting: ClaimedIntent[] = [];
  #inFlight = 0;
  #converging = 0;
  #exporting = false;
  #resumed = false;
  #stopping = false;

  constructor(deliverer: ConfiguredDeliverer, options: DestinationOptions) {
    const { store, clock, onError, retryMs, tickMs } = options;
    this.#deliverer = deliverer;
    this.#options = options;
    this.#intents = new Settlements((items) => store.settle(items, clock.now()), onError, retryMs);
    this.#desired = new Settlements((items) => store.settleDesired(items, clock.now()), onError, retryMs);
    this.#journal = new Settlements((items) => store.settleJournal(items, clock.now()), onError, retryMs);
    this.#asks = new Asks(tickMs);
    this.#loop = this.#run();
  }

  /** Anything may be due. */
  wake(): void {
    this.#asks.addAll();
    this.#wake.wake();
  }

  found(work: Work): void {
    const { destination, journal } = this.#deliverer;
    if (this.#asks.addOf(work, destination, journal !== undefined)) this.#wake.wake();
  }

  clockSet(ms: number): void {
    this.#limiter.clockSet(ms);
    this.wake();
  }

  /** Claims nothing more, gives what is in flight `graceMs`, then interrupts it. Nothing is in flight afterwards. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake.wake();
    await this.#loop;
    this.#giveBackWaiting();
    const grace = new Wake();
    const idle = this.#idle().then(() => grace.wake());
    await grace.wait(graceMs);
    this.#intents.stop();
    this.#desired.stop();
    this.#journal.stop();
    this.#abort.abort();
    await idle;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const sleepMs = await this.#round().catch((error: unknown) => {
        this.#options.onError(error);
        this.#asks.addAll();
        return this.#options.retryMs;
      });
      if (sleepMs === 0 || this.#stopping) continue;
      const began = this.#options.clock.now();
      if (!(await this.#wake.wait(sleepMs))) this.#asks.slept(sleepMs, began);
    }
  }

  /** Ms until the next look; 0 when there may be more to do at once. */
  async #round(): Promise<number> {
    const began = this.#options.clock.now();
    await this.#resume();
    await this.#retryRefused();
    this.#startWaiting();
    const asked = this.#asks.take(began);
    // Asked at once, so that all of it is one message to the store's thread and one back.
    await Promise.all([
      asked.has('intents') ? this.#claim() : undefined,
      asked.has('desired') ? this.#converge() : undefined,
      asked.has('journal') ? this.#follow() : undefined,
    ]);
    return this.#asks.isEmpty ? this.#sleepMs(began) : 0;
  }

  /** What the process before sent counts in the vendor's limits. Nothing is sent before it is known. */
  async #resume(): Promise<void> {
    const { destination, recent, dryRun } = this.#deliverer;
    if (this.#resumed) return;
    if (recent !== undefined && !dryRun) {
      const since = this.#options.clock.now() - recent.ms;
      recent.resume(await this.#options.store.recentlySent(destination, since));
    }
    this.#resumed = true;
  }

  /** Takes intents that may be sent, and starts what is free. */
  async #claim(): Promise<void> {
    if (this.#stopping) return;
    const room = MAX_IN_FLIGHT - this.#inFlight - this.#waiting.length;
    if (room === 0) return this.#asks.leave('intents');
    const { destination, dryRun } = this.#deliverer;
    const { store, clock } = this.#options;
    const now = clock.now();
    // Whatever comes after the claim: nobody else sends what it got.
    const started = store.claim(destination, room, now, this.#limiter.busy(now), dryRun, 1).then((claimed) => {
      this.#waiting.push(...claimed);
      this.#startWaiting();
      return claimed.length;
    });
    const [count, isDue] = await Promise.all([started, dryRun || store.isDue(destination, now)]);
    if (isDue && count > 0) this.#asks.add('intents');
    else if (isDue) this.#asks.leave('intents');
  }

  /** Whether something was refused that may be sent now is asked each time: the credentials may be others. */
  async #retryRefused(): Promise<void> {
    const { destination, dryRun } = this.#deliverer;
    const limits = dryRun ? [] : (this.#deliverer.renewed?.() ?? []);
    if (limits.length === 0) return;
    await this.#options.store.retryRefused(destination, limits, this.#options.clock.now());
    this.#asks.addAll();
  }

  async #converge(): Promise<void> {
    const { destination, dryRun, batch, convergeLimits, convergeAtOnce = 1 } = this.#deliverer;
    const now = this.#options.clock.now();
    // In a dry run the rows stay as they are: not sent and not accepted.
    if (dryRun) return;
    if (this.#converging >= convergeAtOnce || !this.#isFree(convergeLimits, now)) return this.#asks.leave('desired');
    const keys = convergeLimits.map(({ key }) => key);
    const rows = await this.#options.store.claimDesired(destination, batch.desired, now, keys);
    if (rows.length > 0) this.#track(this.#sendDesired(rows), 'desired');
    if (rows.length === batch.desired) this.#asks.add('desired');
  }

  /** One batch of the journal at a time: the next is what was committed since. */
  async #follow(): Promise<void> {
    const { destination, journal } = this.#deliverer;
    const now = this.#options.clock.now();
    const limits = this.#journalLimits();
    if (journal === undefined || this.#stopping) return;
    if (this.#exporting || !this.#isFree(limits, now)) return this.#asks.leave('journal');
    const keys = limits.map(({ key }) => key);
    const claimed = await this.#options.store.claimJournal(destination, journal.batch, now, keys);
    if (claimed === undefined) return;
    if (claimed.againMs === undefined) this.#track(this.#export(claimed), 'journal');
    else this.#asks.leave('journal', now + claimed.againMs);
  }

  #isFree(limits: readonly Limit[], now: Instant): boolean {
    return this.#limiter.freeAt(limits, now) <= now;
  }

  /** Starts what is free; those without limits together, as the sink can take them. */
  #startWaiting(): void {
    if (this.#stopping) return;
    const free = this.#waiting.filter((intent) => intent.limits.length === 0);
    const limited = this.#waiting.filter((intent) => intent.limits.length > 0);
    this.#waiting = limited.filter((intent) => !this.#startIfFree(intent));
    const size = this.#deliverer.batch.intents;
    for (let start = 0; start < free.length; start += size) this.#track(this.#send(free.slice(start, start + size)));
  }

  #startIfFree(intent: ClaimedIntent): boolean {
    const now = this.#options.clock.now();
    if (this.#limiter.freeAt(intent.limits, now) > now) return false;
    this.#track(this.#send([intent]));
    return true;
  }

  async #send(batch: readonly ClaimedIntent[]): Promise<void> {
    const { clock, random, onSettled, onError } = this.#options;
    const { destination, dryRun } = this.#deliverer;
    this.#inFlight += batch.length;
    const limits = dryRun ? [] : batch.flatMap((intent) => intent.limits);
    const end = this.#limiter.start(limits, clock.now());
    const deliveries = dryRun
      ? batch.map(() => DRY_RUN)
      : await answers(batch.length, (signal) => this.#deliverer.deliver(batch, signal), this.#abort.signal, onError);
    end(clock.now());
    const settled = batch.map(({ seq, attempt }, index) => ({
      seq,
      ...scheduled(deliveries[index]!, attempt, random()),
    }));
    const work = await this.#intents.add(settled);
    this.#inFlight -= batch.length;
    settled.forEach(({ delivery }) => onSettled(destination, delivery, 'intent'));
    if (work !== undefined) this.found(work);
  }

  async #sendDesired(rows: readonly ClaimedDesired[]): Promise<void> {
    const { clock, random, onSettled, onError } = this.#options;
    const { destination, convergeLimits } = this.#deliverer;
    this.#converging++;
    const end = this.#limiter.start(convergeLimits, clock.now());
    const send = (signal: AbortSignal) => this.#deliverer.converge(rows, signal);
    const deliveries = await answers(rows.length, send, this.#abort.signal, onError);
    end(clock.now());
    const settled = rows.map(({ key, wantedHash, attempt }, index) => ({
      destination,
      key,
      sentHash: wantedHash,
      ...scheduled(deliveries[index]!, attempt, random()),
    }));
    const work = await this.#desired.add(settled);
    this.#converging--;
    settled.forEach(({ delivery }) => onSettled(destination, delivery, 'desired'));
    if (work !== undefined) this.found(work);
  }

  async #export({ destination, upTo, entries, attempt }: ClaimedJournal): Promise<void> {
    if (entries.length === 0) return;
    const { clock, random, onSettled, onError } = this.#options;
    const { dryRun, journal } = this.#deliverer;
    this.#exporting = true;
    const end = this.#limiter.start(this.#journalLimits(), clock.now());
    const send = async (signal: AbortSignal) => [await journal!.export(entries, signal)];
    const [delivery] = dryRun ? [DRY_RUN] : await answers(1, send, this.#abort.signal, onError);
    end(clock.now());
    const settled = { destination, upTo, entries: entries.length, ...scheduled(delivery!, attempt, random()) };
    await this.#journal.add([settled]);
    this.#exporting = false;
    onSettled(destination, settled.delivery, 'journal');
  }

  #journalLimits(): readonly Limit[] {
    return this.#deliverer.dryRun ? [] : (this.#deliverer.journal?.limits ?? []);
  }

  #giveBackWaiting(): void {
    const delivery: Delivery = { outcome: 'retry', reason: 'shutting_down' };
    const settled = this.#waiting.map(({ seq }) => ({ seq, delivery, delayMs: 0 }));
    this.#waiting = [];
    if (settled.length > 0) this.#track(this.#intents.add(settled));
  }

  /** Its end may free a limit, or show that a refused key is accepted now; `then` is asked for again. */
  #track(send: Promise<unknown>, then?: Ask): void {
    const failed = (error: unknown): void => (this.#options.onError(error), this.#asks.addAll());
    const tracked = send.catch(failed).then(() => {
      this.#sends.delete(tracked);
      this.#asks.addLeft();
      if (then !== undefined) this.#asks.add(then);
      this.#wake.wake();
    });
    this.#sends.add(tracked);
  }

  async #idle(): Promise<void> {
    while (this.#sends.size > 0) await Promise.all(this.#sends);
  }

  /** What was busy when the round began may be free by now: then it was left, and the next round takes it. */
  #sleepMs(began: Instant): number {
    const { clock, retryMs } = this.#options;
    const isWaiting = this.#asks.hasLeft || this.#waiting.length > 0;
    const ms = this.#asks.sleepMs(clock.now(), isWaiting ? this.#limiter.nextFree(began) : Infinity);
    return this.#deliverer.isRefused?.() === true ? Math.min(ms, retryMs) : ms;
  }
}
