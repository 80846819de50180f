import type { Attributes } from '@opentelemetry/api';
import type { Instant } from '../../lib/clock.ts';

/** A span before its times are made to fit. Ids come from stable names; the tree says who is whose parent. */
export interface SpanNode {
  readonly id: string;
  readonly name: string;
  readonly start: Instant;
  readonly end: Instant;
  /** It goes on: its end is how far it is drawn. */
  readonly isOpen?: boolean;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  /** Why it failed, in words; absent where it did not. */
  readonly error?: string;
  readonly children: readonly SpanNode[];
}

/**
 * The same tree with times that a backend can draw: no span ends before it starts, and none begins or ends outside its
 * parent. Clocks of nodes differ and Kubernetes writes whole seconds, so a child's time is kept and its parent covers it.
 */
export function fit(node: SpanNode): SpanNode {
  const children = node.children.map(fit);
  const start = Math.min(node.start, ...children.map((child) => child.start));
  const end = Math.max(start, node.end, ...children.map((child) => child.end));
  return { ...node, children, start, end };
}
