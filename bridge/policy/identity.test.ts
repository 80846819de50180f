import { expect, it } from 'vitest';
import type { Identity } from './identity.ts';
import { matchIdentity } from './identity.ts';

const stored: Identity = { kubeSystemUid: 'k', namespaceUid: 'n', caHash: 'c' };

it.each<[string, Identity, Identity, string]>([
  ['a store that knows no cluster yet', {}, stored, 'unclear'],
  ['the same cluster', stored, stored, 'same'],
  ['a CA that was rotated', stored, { ...stored, caHash: 'other' }, 'same'],
  ['a bridge that moved to another namespace', stored, { kubeSystemUid: 'k', namespaceUid: 'x', caHash: 'x' }, 'same'],
  ['one match of what can be read', stored, { caHash: 'c' }, 'same'],
  ['a cluster that was rebuilt', stored, { kubeSystemUid: 'x', namespaceUid: 'x', caHash: 'x' }, 'other'],
  ['another CA when nothing else can be read', stored, { caHash: 'x' }, 'other'],
  ['nothing that could be compared', { kubeSystemUid: 'k' }, { caHash: 'c' }, 'unclear'],
])('%s', (_name, known, found, expected) => {
  expect(matchIdentity(known, found)).toBe(expected);
});
