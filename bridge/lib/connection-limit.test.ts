import { expect, it } from 'vitest';
import { ConnectionLimit } from './connection-limit.ts';

function limited(max: number, spareMs?: number) {
  const limit = new ConnectionLimit(max, spareMs);
  const ended: string[] = [];
  const connections = new Map<string, object>();
  const of = (name: string): object => connections.get(name) ?? connections.set(name, { name }).get(name)!;
  return {
    ended,
    add: (name: string) => limit.add(of(name), () => ended.push(name)),
    remove: (name: string) => limit.remove(of(name)),
    busy: (name: string) => limit.busy(of(name)),
    used: (name: string) => limit.used(of(name)),
  };
}

it('ends the longest idle one for a new one', () => {
  const { add, ended, busy } = limited(2);
  expect([add('a'), add('b')]).toEqual(['added', 'added']);
  busy('a')();
  expect(add('c')).toBe('ended');
  expect(ended).toEqual(['b']);
});

it('has no room while something is under way on each', () => {
  const { add, ended, busy } = limited(2);
  add('a');
  add('b');
  const done = busy('a');
  busy('b');
  expect(add('c')).toBe('full');
  done();
  expect(add('c')).toBe('ended');
  expect(ended).toEqual(['a']);
});

it('spares one that was used, while others are idle and for a time', () => {
  const spared = limited(2, 60_000);
  spared.add('collector');
  spared.used('collector');
  spared.add('idle');
  expect([spared.add('a'), spared.add('b')]).toEqual(['ended', 'ended']);
  expect(spared.ended).toEqual(['idle', 'a']);
  spared.used('b');
  expect(spared.add('c')).toBe('full');
  const unspared = limited(1);
  unspared.add('collector');
  unspared.used('collector');
  expect(unspared.add('a')).toBe('ended');
});

it('has room again when one goes', () => {
  const { add, remove, ended } = limited(1);
  add('a');
  remove('a');
  expect(add('b')).toBe('added');
  expect(ended).toEqual([]);
});
