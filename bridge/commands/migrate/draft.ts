import { DNS_LABEL } from '../../kubernetes/dns-label.ts';

/** One setting of the old agent: `source` is its path in the values, its flag or its variable. */
export interface Given {
  readonly source: string;
  readonly value: unknown;
}

/** Where the old agent ran, as far as that is known. */
export interface OldPlace {
  readonly namespace?: string | undefined;
  /** The names of its objects begin with it. */
  readonly fullname?: string | undefined;
}

/** A value of our chart. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** What it was made of, or why it stands there. */
  readonly comment: string;
}

/** What is not in the values: `todo` needs a person, the others are listed so that nothing is silent. */
export interface Note {
  readonly source: string;
  readonly text: string;
  readonly todo: boolean;
}

/** A setting that cannot be understood. */
export interface Refusal {
  readonly source: string;
  readonly given: string;
  readonly allowed: string;
}

/** What becomes of one setting of the old agent. */
export interface Rule {
  /** The old chart's own value: it says nothing. */
  readonly standard?: unknown;
  readonly translate: (given: Given, draft: Draft) => void;
}

/** Our values as they are made of the old settings, one after the other; the later wins. */
export class Draft {
  readonly place: OldPlace;
  readonly settings = new Map<string, Setting>();
  readonly notes: Note[] = [];
  readonly refusals: Refusal[] = [];

  constructor(place: OldPlace) {
    this.place = place;
  }

  /** `path` is written with dots; no part of it has one. */
  set(path: string, value: unknown, comment: string): void {
    this.settings.set(path, { path: path.split('.'), value, comment });
  }

  /** A note about what a person has to do. */
  todo(source: string, text: string): void {
    this.notes.push({ source, text, todo: true });
  }

  /** A note after which nothing is to be done. */
  note(source: string, text: string): void {
    this.notes.push({ source, text, todo: false });
  }

  /** What was made of the settings before. */
  get(path: string): unknown {
    return this.settings.get(path)?.value;
  }

  /** A value that the old agent did not take either, or that has no meaning here; never one that holds a secret. */
  refuse({ source, value }: Given, allowed: string): void {
    this.refusals.push({ source, given: value === undefined ? 'missing' : JSON.stringify(value), allowed });
  }
}

/** What stands between commas, each once. */
export function list(value: unknown): string[] {
  const items = String(value)
    .split(',')
    .map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

/** Whether a namespace can have that name. */
export function isNamespace(name: string): boolean {
  return DNS_LABEL.test(name);
}
