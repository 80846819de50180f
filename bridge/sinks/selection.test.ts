import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cronJobFacts } from '../../test/fixtures/facts.ts';
import { isInSelection, selectionFields } from './selection.ts';

const schema = z.strictObject(selectionFields);
const object = cronJobFacts({ namespace: 'shop', labels: { team: 'a', tier: 'web' } });
const only = (matchExpressions: object[]) => ({ labelSelector: { matchExpressions } });

describe('a selection', () => {
  it.each([
    [{}, true],
    [{ namespaces: ['shop', 'billing'] }, true],
    [{ namespaces: ['billing'] }, false],
    [{ excludeNamespaces: ['billing'] }, true],
    [{ excludeNamespaces: ['shop'] }, false],
    [{ namespaces: ['shop'], excludeNamespaces: ['shop'] }, false],
    [{ labelSelector: { matchLabels: { team: 'a', tier: 'web' } } }, true],
    [{ labelSelector: { matchLabels: { team: 'a', tier: 'db' } } }, false],
    [{ labelSelector: { matchLabels: { zone: '' } } }, false],
    [{ namespaces: ['billing'], labelSelector: { matchLabels: { team: 'a' } } }, false],
    [only([{ key: 'team', operator: 'In', values: ['a', 'b'] }]), true],
    [only([{ key: 'team', operator: 'In', values: ['b'] }]), false],
    [only([{ key: 'zone', operator: 'In', values: ['b'] }]), false],
    [only([{ key: 'team', operator: 'NotIn', values: ['a'] }]), false],
    [only([{ key: 'team', operator: 'NotIn', values: ['b'] }]), true],
    [only([{ key: 'zone', operator: 'NotIn', values: ['b'] }]), true],
    [only([{ key: 'team', operator: 'Exists' }]), true],
    [only([{ key: 'zone', operator: 'Exists' }]), false],
    [only([{ key: 'team', operator: 'DoesNotExist' }]), false],
    [only([{ key: 'zone', operator: 'DoesNotExist' }]), true],
  ])('%o takes an object of namespace shop with the labels team=a, tier=web: %o', (selection, taken) => {
    expect(isInSelection(object, schema.parse(selection))).toBe(taken);
  });

  it.each([
    { namespaces: ['Shop'] },
    { namespaces: 'shop' },
    { labelSelector: { team: 'a' } },
    only([{ key: 'team', operator: 'in', values: ['a'] }]),
    only([{ key: 'team', operator: 'In' }]),
    only([{ key: 'team', operator: 'NotIn', values: [] }]),
    only([{ key: 'team', operator: 'Exists', values: ['a'] }]),
  ])('is refused as %o', (selection) => {
    expect(schema.safeParse(selection).success).toBe(false);
  });
});
