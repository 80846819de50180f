import type { Tree } from '../../config/tree.ts';
import type { KubeObject } from '../../kubernetes/fields.ts';
import type { Draft, Given, Rule } from './draft.ts';

/** A tool that the bridge replaces, as `migrate-from` reads its settings. */
export interface OldTool {
  /** As the command calls it. */
  readonly name: string;
  /** As people know it. */
  readonly title: string;
  /** The name of its chart, and of its part in a chart that includes it. */
  readonly chart: string;
  /** Our page about the move. */
  readonly doc: string;
  /** Every value of its chart, every variable and every flag by its name there: the later wins. */
  readonly rules: Readonly<Record<string, Rule>>;
  /** Rules of all variables that begin so. */
  readonly prefixed?: Readonly<Record<string, Rule>>;
  /** Values of its chart where they differ from ours: leaving one out means the same. */
  readonly defaults: Tree;
  /** What holds whatever is set. */
  begin(draft: Draft): void;
  /** What only all sources together say. */
  end?(sources: ReadonlySet<string>, draft: Draft): void;
  /** Without it the tool reads no variables. `implied`: what holds where no variable says something else; `unseen`: what they do not show. */
  readonly variables?: { readonly implied: readonly Given[]; readonly unseen?: string };
  /** Its flags begin with one dash, or two. */
  readonly dash: '-' | '--';
  readonly booleanFlags: ReadonlySet<string>;
  /** Whether it is this container of a pod. */
  isIn(container: KubeObject): boolean;
  /** What only the container says, such as where a key comes from. */
  fromContainer?(container: KubeObject, deployment: string): Given[];
}
