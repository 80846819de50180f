import { expect, it } from 'vitest';
import { rules } from './cron-fixtures.ts';
import { payloadSchema } from './payload.ts';
import { stormRules } from './plan-digest.ts';

it('a digest has a line for each kind, the commonest first, whatever a reason holds, and counts the rest together', () => {
  const kinds: Record<string, number> = { 'Odd\nreason in Pod shop/a': 2, ['é🎉'.repeat(200)]: 7 };
  for (let n = 0; n < 30; n++) kinds[`kind ${n}`] = 1;
  const left = { count: 139, kinds, others: 100, firstAt: 0, lastAt: 60_000 };
  const [intent] = stormRules(rules()).digest({ scope: {}, since: 0, until: 300_000, passed: 300, left });
  const payload = payloadSchema.parse(intent!.payload);
  const { item } = intent!.payload as { item: { message: string } };
  const lines = item.message.split('\n');
  expect(lines).toHaveLength(22);
  expect(lines[0]).toBe('139 more events in 5 minutes: not sent one by one');
  expect(lines[1]).toMatch(/^7 × é🎉.*…$/u);
  expect(lines[1]!.isWellFormed()).toBe(true);
  expect(lines[2]).toBe('2 × Odd reason in Pod shop/a');
  expect(lines.at(-1)).toBe('112 × others');
  expect(payload).toMatchObject({ discarded: 139 });
});
