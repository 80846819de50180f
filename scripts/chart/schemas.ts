import type { Tree } from '../../bridge/config/tree.ts';
import { DNS_LABEL } from '../../bridge/kubernetes/dns-label.ts';

export const text = { type: 'string' };
export const list = (items: Tree): Tree => ({ type: 'array', items });
export const mapOf = (items: Tree): Tree => ({ type: 'object', additionalProperties: items });
export const closed = (properties: Tree, required: readonly string[] = []): Tree => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

export const NAMESPACE = { type: 'string', pattern: DNS_LABEL.source };
export const LABEL_KEY = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
export const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$';
export const SECRET_KEY = { type: 'string', pattern: '^[-._A-Za-z0-9]+$' };
export const SECRET_NAME = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' };
export const secretKey = closed({ existingSecret: SECRET_NAME, key: text }, ['existingSecret', 'key']);
