import { desiredContext } from '../../../test/fixtures/desired-context.ts';
import { describe, expect, it } from 'vitest';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Json } from '../../lib/json.ts';
import { attempt, cronJob, JOB_UID, planConfig, planContext, run, transition } from './fixtures.ts';
import { pingSchema } from './ping.ts';
import { createCronitorPlanner } from './plan.ts';

const planner = createCronitorPlanner('default', planConfig());

const context = planContext;

function sent(...args: Parameters<typeof planner.plan>) {
  const planned = planner.plan(...args);
  if (planned === null || 'drop' in planned) throw new Error('nothing is sent');
  const [intent] = planned.intents;
  const { key: monitor, query } = pingSchema.parse(intent!.payload);
  return { ...intent!, monitor, query, memo: planned.memo };
}

const ended = (outcome: 'succeeded' | 'failed' | 'cancelled' | 'replaced' | 'never_started', more = {}) =>
  transition({ id: `${JOB_UID}/ended`, kind: 'run.ended', at: 1_760_000_065_000, outcome, ...more });

const desired = (facts: CronJobFacts, previous?: Json, stickyKey?: string) =>
  planner.planDesired(facts, desiredContext({ stickyKey, previous: () => previous }));

describe('a schedule that Cronitor may read in another way', () => {
  const problems = (changes: Partial<CronJobFacts>, annotations = {}) =>
    planner.problems!(cronJob(annotations, changes), () => undefined).map(({ annotation, value, used }) => [
      annotation,
      value,
      used,
    ]);

  it('is a problem that says what is used', () => {
    expect(problems({ schedule: ', * * * *\n' })).toEqual([
      ['spec.schedule', ', * * * *\n', '0 0 30 2 * in the time zone UTC'],
    ]);
    expect(problems({ schedule: '0 9 * * *', timeZone: 'Mars/Phobos' })).toEqual([
      ['spec.schedule', '0 9 * * *', '0 9 * * * in the time zone Mars/Phobos'],
    ]);
  });

  it('is none of a CronJob without a monitor, nor what is put into the common form', () => {
    expect(problems({ schedule: ', * * * *' }, { exclude: 'true' })).toEqual([]);
    expect(problems({ schedule: 'TZ=Europe/Berlin */+5 9\t* * ?' })).toEqual([]);
  });
});

describe('telemetry of a run', () => {
  it('is a run ping when the Job starts, in the lane of the run, after its monitor', () => {
    const intent = sent(transition(), context());
    expect(intent).toMatchObject({
      key: `${JOB_UID}/started`,
      lane: `run/${JOB_UID}`,
      waitsFor: cronJob().uid,
      limits: [
        { key: `monitor/${cronJob().uid}`, perSecond: 5, burst: 10 },
        { key: 'address', perSecond: 40, burst: 100 },
      ],
      memo: { key: cronJob().uid },
    });
    expect(intent.payload).toEqual({
      key: cronJob().uid,
      query: { state: 'run', series: JOB_UID, stamp: '1760000001' },
    });
  });

  it.each([
    ['succeeded', 'complete'],
    ['replaced', 'complete'],
    ['failed', 'fail'],
    ['cancelled', 'fail'],
  ] as const)('that %s is a %s ping', (outcome, state) => {
    expect(sent(ended(outcome), context()).query['state']).toBe(state);
  });

  it('is dropped with its reason for a Job that never started', () => {
    expect(planner.plan(ended('never_started'), context())).toEqual({ drop: 'never_started' });
  });

  it('is nothing for other transitions, whoever owns the run', () => {
    expect(planner.plan(transition({ kind: 'run.stuck' }), context())).toBeNull();
    for (const kind of ['run.stuck', 'attempt.ended', 'container.terminated', 'run.suspended'] as const)
      expect(planner.plan(transition({ kind }), context({ cronJob: undefined }))).toBeNull();
  });

  it.each([
    ['a bare pod', context({ run: run({ kind: 'Pod' }) }), {}],
    ['a Job of nobody', context({ cronJob: undefined }), {}],
    [
      'a Job of another owner',
      context({ cronJob: undefined, run: run({ ownedBy: 'JobSet training (jobset.x-k8s.io)' }) }),
      { detail: 'owned by JobSet training (jobset.x-k8s.io)' },
    ],
    [
      'a Job by hand of nobody',
      context({ cronJob: undefined, run: run({ manual: true }) }),
      { detail: 'made by hand, and it names no CronJob as its owner' },
    ],
  ])('has one reason for the whole run for %s', (_name, given, detail) => {
    const reason = { drop: 'no_cronjob', once: true, ...detail };
    expect(planner.plan(transition(), given)).toEqual(reason);
    expect(planner.plan(ended('never_started'), given)).toEqual(reason);
  });

  it('is dropped with a reason for an excluded CronJob', () => {
    const excluded = context({ cronJob: cronJob({ exclude: 'true' }) });
    expect(planner.plan(transition(), excluded)).toEqual({ drop: 'not_selected' });
  });

  it('closes a run that was announced although its CronJob was excluded meanwhile', () => {
    const excluded = context({ cronJob: cronJob({ exclude: 'true' }), memo: { key: 'k' } });
    expect(sent(ended('succeeded'), excluded)).toMatchObject({ monitor: 'k', waitsFor: 'k' });
  });

  it('keeps the key and the env that its start used', () => {
    const { memo } = sent(transition(), context({ cronJob: cronJob({ key: 'first', env: 'staging' }) }));
    const later = context({ cronJob: cronJob({ key: 'second', env: 'production' }), memo });
    expect(sent(ended('succeeded'), later)).toMatchObject({
      monitor: 'first',
      query: { env: 'staging' },
      waitsFor: 'first',
    });
  });

  it('keeps having no env when its start had none', () => {
    const { memo } = sent(transition(), context());
    const later = context({ cronJob: cronJob({ env: 'production' }), memo });
    expect(sent(ended('succeeded'), later).query).not.toHaveProperty('env');
  });

  it('takes env from the annotation, else from the destination; an empty annotation is none', () => {
    const staging = createCronitorPlanner('default', planConfig({ env: 'staging' }));
    const env = (facts: CronJobFacts) => JSON.stringify(staging.plan(transition(), context({ cronJob: facts })));
    expect(env(cronJob({ env: 'production' }))).toContain('"env":"production"');
    expect(env(cronJob({ env: '' }))).toContain('"env":"staging"');
  });

  it('names the first node for run and the node of the last ended attempt for an ending', () => {
    const attempts = [
      attempt({ podUid: 'a' }),
      attempt({ podUid: 'b', nodeName: 'node-b', endedAt: 30 }),
      attempt({ podUid: 'c', nodeName: 'node-c', endedAt: 20 }),
    ];
    expect(sent(transition(), context({ attempts })).query['host']).toBe('node-b');
    for (const order of [attempts, attempts.toReversed()]) {
      expect(sent(ended('succeeded'), context({ attempts: order })).query['host']).toBe('node-b');
    }
    expect(sent(transition(), context({ attempts: [attempt()] })).query).not.toHaveProperty('host');
  });

  it('says why it failed: the container that decided, then the condition', () => {
    const attempts = [
      attempt({ container: 'main', exitCode: 3, reason: 'Error', endedAt: 1 }),
      attempt({ container: 'main', exitCode: 0, reason: 'Completed', endedAt: 2 }),
      attempt(),
    ];
    const because = { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    expect(sent(ended('failed', because), context({ attempts })).query['message']).toBe(
      'container main exited with 3 (Error); BackoffLimitExceeded',
    );
    expect(sent(ended('cancelled', because), context({ attempts })).query['message']).toBe('cancelled');
    expect(sent(ended('succeeded', because), context({ attempts })).query).not.toHaveProperty('message');
  });

  it('cuts a message at 2000 code points', () => {
    const message = sent(ended('failed', { reason: 'R', message: '🚀'.repeat(3000) }), context()).query['message']!;
    expect(Array.from(message)).toHaveLength(2000);
    expect(message.isWellFormed()).toBe(true);
  });
});

describe('the monitor of a CronJob', () => {
  it('is sticky when its key is the UID, and keeps the first UID', () => {
    expect(desired(cronJob())).toMatchObject([{ key: cronJob().uid, sticky: true }]);
    expect(desired(cronJob(), undefined, 'first-uid')).toMatchObject([{ key: 'first-uid', sticky: true }]);
    expect(sent(transition(), context({ stickyKey: 'first-uid' })).monitor).toBe('first-uid');
  });

  it('has an explicit or inferred key before a sticky one', () => {
    expect(desired(cronJob({ key: 'mine' }), undefined, 'first-uid')).toMatchObject([{ key: 'mine', sticky: false }]);
    expect(desired(cronJob({ 'key-inference': 'name' }), undefined, 'first-uid')).toMatchObject([
      { key: expect.stringMatching(/^[0-9a-f]{40}$/), sticky: false },
    ]);
  });

  it('is not wanted when excluded; a value that is not a boolean excludes nothing', () => {
    expect(desired(cronJob({ exclude: 'true' }))).toEqual([]);
    expect(desired(cronJob({ exclude: 'yes' }))).toHaveLength(1);
    expect(desired(cronJob({ include: 'false' }))).toHaveLength(1);
  });

  it('is paused while suspended, and speaks of paused only after we paused it', () => {
    expect(desired(cronJob())[0]!.wanted).not.toHaveProperty('paused');
    const suspended = desired(cronJob({}, { suspend: true }))[0]!.wanted as Json;
    expect(suspended).toHaveProperty('paused', true);
    expect(desired(cronJob(), suspended)[0]!.wanted).toHaveProperty('paused', false);
  });

  it('is paused when its CronJob is gone, and resumes when it comes back', () => {
    const wanted = desired(cronJob())[0]!.wanted as Json;
    const retired = planner.retire(wanted, 'unclaimed') as Json;
    expect(retired).toEqual({ ...Object(wanted), paused: true });
    expect(desired(cronJob(), retired)[0]!.wanted).toHaveProperty('paused', false);
  });
});
