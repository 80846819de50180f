import { expect, it } from 'vitest';
import type { DueEvent, Problem } from '../../store/problems.ts';
import { warningEvent } from './kube-event.ts';
import { problemText } from './problem-event.ts';

const NOW = Date.parse('2026-11-21T12:00:30.250Z');

function event(...problems: Partial<Problem>[]): DueEvent {
  const full = problems.map((problem) => ({
    annotation: 'k8s.cronitor.io/exclude',
    value: 'yes',
    allowed: 'true or false',
    used: 'no answer',
    destinations: ['cronitor/default'],
    ...problem,
  }));
  const setHash = '0123456789abcdef0123456789abcdef';
  return { kind: 'CronJob', uid: 'uid', namespace: 'shop', name: 'report', problems: full, setHash, attempt: 1 };
}
const problemEvent = (due: DueEvent, now: number, link?: string) =>
  warningEvent(problemText(due, link), due.setHash, now);
const note = (...problems: Partial<Problem>[]): string => problemEvent(event(...problems), NOW).note;

it('regards the CronJob and has a name that its problems decide', () => {
  expect(problemEvent(event({}), NOW)).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: 'shop', name: 'report.0123456789abcdef' },
    eventTime: '2026-11-21T12:00:30.250000Z',
    reportingController: 'lifecycle-bridge',
    reportingInstance: 'lifecycle-bridge',
    type: 'Warning',
    reason: 'InvalidAnnotation',
    action: 'ReadAnnotations',
    regarding: { apiVersion: 'batch/v1', kind: 'CronJob', namespace: 'shop', name: 'report', uid: 'uid' },
    note: 'k8s.cronitor.io/exclude: "yes" is not valid. Allowed: true or false. Used: no answer.',
  });
});

it('says where the page has them, when that is known and fits', () => {
  const link = 'https://bridge.example.com/problems';
  const noteOf = (...problems: Partial<Problem>[]) => problemEvent(event(...problems), NOW, link).note;
  expect(noteOf({})).toMatch(/Used: no answer\. More: https:\/\/bridge\.example\.com\/problems$/);
  const full = noteOf(...Array.from({ length: 40 }, () => ({ annotation: 'x'.repeat(200), allowed: 'y'.repeat(90) })));
  expect(Buffer.byteLength(full)).toBeLessThanOrEqual(1024);
});

it('names every problem, with long values cut', () => {
  const text = note({ value: 'é'.repeat(500) }, { annotation: 'b', value: 'a "quoted"\nvalue' });
  expect(text).toContain(`"${'é'.repeat(59)}…"`);
  expect(text).toContain('b: "a \\"quoted\\"\\nvalue" is not valid.');
});

it.each([1, 2, 3, 4, 12, 200])(
  'of %i problems names as many as fit into a note, and says how many more there are',
  (count) => {
    const long = { annotation: 'ü'.repeat(300), allowed: 'ä'.repeat(90), used: 'x' };
    const text = note(...Array.from({ length: count }, () => long));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024);
    const whole = text.match(/Used: x\./g)!.length;
    const more = Number(/ And (\d+) more\.$/.exec(text)?.[1] ?? 0);
    expect(whole).toBeGreaterThan(0);
    expect(whole + more).toBe(count);
  },
);

it('one problem that is too long for a note by itself is cut', () => {
  const endless = 'é'.repeat(2000);
  const text = note({ annotation: endless, allowed: endless, used: endless });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024);
  expect(text).toMatch(/^é+… Allowed: é+… Used: é+…$/);
});
