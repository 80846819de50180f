import { gateKeys } from './due.ts';

interface Row {
  readonly seq: number;
  readonly destination: string;
}

/**
 * Whether what fails does so alone, or the vendor as a whole: by what else got through under the same limit key between
 * two tries of it. In memory: after a restart a row is judged from its next failure on.
 */
export class Suspects {
  /** Counts claims and failures, so that no clock decides what came first. */
  #count = 0;
  /** When what is in flight was claimed. */
  readonly #claimed = new Map<number, number>();
  /** When a row that is not settled failed last; 0 once it failed alone. */
  readonly #failed = new Map<number, number>();
  /** When the latest that got through was claimed, of keys under which something failed. */
  readonly #through = new Map<string, number>();

  claimed(seq: number): void {
    this.#claimed.set(seq, ++this.#count);
  }

  /** `alone`: others got through since its last failure; `all`: none did; `first`: it is not known yet. */
  failed({ seq, destination }: Row, key: string): 'first' | 'alone' | 'all' {
    const name = nameOf(destination, key);
    const through = this.#through.get(name) ?? 0;
    this.#through.set(name, through);
    const before = this.#failed.get(seq);
    const isAlone = before !== undefined && (before === 0 || through > before);
    this.#failed.set(seq, isAlone ? 0 : ++this.#count);
    if (isAlone) return 'alone';
    return before === undefined ? 'first' : 'all';
  }

  /** The vendor took it. What was sent before something else failed says nothing about that. */
  delivered({ seq, destination, gate }: Row & { readonly gate: string }): void {
    const at = this.#claimed.get(seq);
    if (at === undefined || this.#through.size === 0) return;
    for (const key of [destination, ...gateKeys(gate)]) {
      const name = nameOf(destination, key);
      const before = this.#through.get(name);
      if (before !== undefined && before < at) this.#through.set(name, at);
    }
  }

  settled(seq: number): void {
    this.#claimed.delete(seq);
    this.#failed.delete(seq);
  }
}

const nameOf = (destination: string, key: string): string => `${destination} ${key}`;
