import { expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { onlyWith, partsOf, shrink } from './shrink.ts';

const plan = planOf('1', 1);

it('leaves out everything without which it still fails', async () => {
  const [first, , second] = partsOf(plan).toReversed();
  const fails = (fewer: typeof plan): Promise<boolean> => {
    const parts = partsOf(fewer);
    return Promise.resolve([first!, second!].every((part) => parts.includes(part)));
  };
  expect(new Set(await shrink(plan, fails, 1_000))).toEqual(new Set([first, second]));
});

it('ends after so many tries with what fails', async () => {
  let tries = 0;
  const fails = (fewer: typeof plan): Promise<boolean> => {
    tries++;
    return Promise.resolve(fewer.acts.length > 10);
  };
  const kept = await shrink(plan, fails, 5);
  expect(tries).toBe(5);
  expect(onlyWith(plan, new Set(kept)).acts.length).toBeGreaterThan(10);
});

it('makes the same plan of the same seed, with enough runs and faults for each day', () => {
  expect(planOf('1', 1)).toEqual(plan);
  expect(planOf('2', 1)).not.toEqual(plan);
  const runs = plan.cronJobs.reduce((sum, { every }) => sum + 1440 / every, 0);
  expect(runs).toBeGreaterThan(500);
  expect(plan.acts.filter((act) => !('cronJob' in act || 'workload' in act)).length).toBeGreaterThanOrEqual(50);
});
