import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cronJobFacts } from '../../test/fixtures/facts.ts';
import { isInSelection, placedFields } from './selection.ts';

const schema = z.strictObject(placedFields);
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
    [{ matchLabels: { team: 'a' } }, { team: 'a' }, true],
    [{ matchLabels: { team: 'a' } }, { team: 'b' }, false],
    [{ matchLabels: { team: 'a' } }, {}, false],
    [{ matchExpressions: [{ key: 'tenant', operator: 'Exists' }] }, { tenant: '' }, true],
    [{ matchExpressions: [{ key: 'tenant', operator: 'DoesNotExist' }] }, {}, true],
    [{ matchExpressions: [{ key: 'tenant', operator: 'NotIn', values: ['x'] }] }, undefined, false],
    [{}, {}, true],
    [{}, undefined, false],
  ])('with namespaceSelector %o takes what is in a namespace with the labels %o: %o', (selector, labels, taken) => {
    expect(isInSelection(object, schema.parse({ namespaceSelector: selector }), labels)).toBe(taken);
  });

  it.each([
    { namespaceSelector: { team: 'a' } },
    { namespaceSelector: [] },
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
