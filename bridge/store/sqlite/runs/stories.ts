import type { Facts } from '../../../kubernetes/observation.ts';
import { podRun } from '../../../lifecycle/bare-pod.ts';
import { podAttempt } from '../../../lifecycle/pod-attempt.ts';
import type { PodState } from '../../../lifecycle/pod-state.ts';
import { eventSubjects } from '../../../lifecycle/event.ts';
import type { Attempt, Run, Transition } from '../../../lifecycle/transition.ts';
import { objectOf } from '../../../lifecycle/transition.ts';
import type { RunStory, StoryContainer } from '../../../sinks/story.ts';
import { MAX_ATTEMPTS, MAX_TRANSITIONS } from '../../../sinks/story.ts';
import type { ObjectRow } from '../../objects.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';
import { eventsAbout } from '../events/event-rows.ts';
import { keptLogsOf } from './logs.ts';
import { objectOf as storedObject } from '../objects/objects.ts';
import { readAttempt, readTransition, runOf } from './stored-runs.ts';
import type { AttemptColumns, TransitionColumns } from './stored-runs.ts';

/** An owner of an owner of … of a Job is as far as anyone goes. */
const MAX_OWNERS = 5;

/** Which come first does not depend on the order in which they were seen. */
const ATTEMPTS = `SELECT pod_uid, started_at, attempt, count(*) OVER () AS total FROM attempts WHERE run_uid = ?
  ORDER BY iif(json_valid(attempt), attempt ->> '$.failed' IN ('itself', 'restarted', 'disrupted'), 0) IS NOT TRUE,
    started_at IS NULL, started_at, pod_uid LIMIT ${MAX_ATTEMPTS}`;

/** `?2`: the pods, where some are left out. */
const TRANSITIONS = `WITH known AS (
    SELECT id, at, transition, row_number() OVER (ORDER BY at, id) AS number, count(*) OVER () AS count
    FROM transitions WHERE run_uid = ?1 AND (?2 IS NULL OR NOT json_valid(transition)
      OR transition ->> '$.about.kind' <> 'Pod' OR transition ->> '$.about.uid' IN (SELECT value FROM json_each(?2))))
  SELECT id, at, transition, (SELECT count(*) FROM transitions WHERE run_uid = ?1) AS total FROM known
  WHERE number <= ${MAX_TRANSITIONS / 2} OR number > count - ${MAX_TRANSITIONS / 2} ORDER BY at, id`;

interface Total {
  readonly total: number;
}

/** What is known of a run; undefined when the store does not hold it (any more). The caller holds the transaction. */
export function storyOf(db: Db, uid: string): RunStory | undefined {
  const run = runOf(db, uid)?.run;
  if (run === undefined) return podStory(db, uid);
  const pods = db.all<AttemptColumns & Total>(ATTEMPTS, uid);
  const attempts = pods.map((row) => readAttempt(db, row)).toSorted(byStart);
  const attemptsLeftOut = leftOut(pods);
  const named = attemptsLeftOut === 0 ? null : JSON.stringify(attempts.map(({ podUid }) => podUid));
  const rows = db.all<TransitionColumns & Total>(TRANSITIONS, uid, named);
  const transitions = rows.map((row) => readTransition(db, uid, row));
  const owners = ownersOf(db, run);
  const cut = { attempts: attemptsLeftOut, transitions: leftOut(rows) };
  return {
    run,
    object: factsOf(storedObject(db, objectOf(run).uid)),
    owners,
    previous: previousOf(db, run),
    attempts,
    containers: transitions.flatMap(containerOf),
    transitions,
    logs: keptLogsOf(db, uid),
    events: eventsAbout(
      db,
      eventSubjects(
        run,
        attempts,
        owners.map((owner) => owner.uid),
      ),
    ),
    ...(cut.attempts + cut.transitions > 0 && { leftOut: cut }),
  };
}

/** Of a pod that belongs to no run, as if it were one by itself. */
function podStory(db: Db, uid: string): RunStory | undefined {
  const row = storedObject(db, uid);
  if (row?.kind !== 'Pod') return undefined;
  const state = row.state as PodState;
  const logs = keptLogsOf(db, uid);
  const [attempts, events] = [[podAttempt(state)], eventsAbout(db, [uid])];
  return {
    run: podRun(state),
    object: state.facts,
    previous: undefined,
    owners: [],
    attempts,
    containers: [],
    transitions: [],
    logs,
    events,
  };
}

function leftOut(rows: readonly Total[]): number {
  return (rows[0]?.total ?? 0) - rows.length;
}

function byStart(a: Attempt, b: Attempt): number {
  return (a.startedAt ?? Infinity) - (b.startedAt ?? Infinity) || (a.podUid < b.podUid ? -1 : 1);
}

function containerOf({ about, at, container }: Transition): StoryContainer[] {
  return container === undefined ? [] : [{ ...container, podUid: about.uid, podName: about.name, endedAt: at }];
}

/** By the index of owners' names; what has no owner, or whose owner has more runs of the same moment, has no run before it. */
const PREVIOUS = `SELECT run FROM runs WHERE owner_name = ? AND namespace = ? AND owner_uid = ? AND uid <> ?
  AND sort_at < (SELECT sort_at FROM runs WHERE uid = ?) ORDER BY sort_at DESC, uid DESC LIMIT 1`;

function previousOf(db: Db, { uid, namespace, ownerName, ownerUid }: Run): Run | undefined {
  if (ownerName === undefined || ownerUid === undefined) return undefined;
  const row = db.get<{ run: string }>(PREVIOUS, ownerName, namespace, ownerUid, uid, uid);
  return row && parsed<Run>(row.run).value;
}

function ownersOf(db: Db, run: Run): Facts[] {
  const owners: Facts[] = [];
  let uid = run.ownerUid;
  while (uid !== undefined && owners.length < MAX_OWNERS) {
    const row = storedObject(db, uid);
    owners.push(...[factsOf(row)].filter((facts) => facts !== undefined));
    uid = row?.ownerUid;
  }
  return owners;
}

function factsOf(row: ObjectRow | undefined): Facts | undefined {
  return (row?.state as { readonly facts: Facts } | undefined)?.facts;
}
