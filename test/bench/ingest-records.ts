import { recordedObjects } from '../fixtures/recorded.ts';
import type { RecordedObject } from '../fixtures/recorded.ts';
import { readObject } from '../fixtures/default-sink.ts';
import { encodeLogs, watchBody } from '../otlp-client.ts';

/** What a large cluster's objects have as export, from their managedFields, environment and volumes. */
const RECORD_BYTES = 7_000;
const VERSION = '1000000000';
const JOB = { name: 'report-29920695', uid: '93703022-f6e7-458a-8d8e-5663d4d989f9' };
const POD = { name: 'report-29920695-wx28j', uid: '1f839d44-199d-4220-8a93-ceb0e72ef8b0' };
/** The UID that every Event gets, so that it can be made another one. */
const EVENT_UID = '5f6b1c52-8a44-4f0e-9d53-3c0a5d1e7b90';
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** An export of one record, and where the texts stand that make it another object or version. */
interface Template {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly uids: readonly number[];
  readonly versions: readonly number[];
  readonly times: readonly number[];
}

interface KubeJson {
  kind: string;
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    annotations?: Record<string, string>;
    managedFields?: unknown;
  };
}

export interface Records {
  /** The CronJob that owns every Job: sent first. */
  readonly first: Buffer;
  /** Exports of one record each; exports that follow each other are one export. */
  changing(count: number): Buffer[];
  /** 30 % change a state, 40 % are an object as it was with a newer version, 30 % are Events. */
  mixed(count: number): Buffer[];
  /** Events, each a new one about a pod of its own. */
  events(count: number): Buffer[];
}

/** Records made from a real node's objects, about 7 KB each, with fresh UIDs and versions. */
export async function loadRecords(): Promise<Records> {
  const objects = await recordedObjects();
  const named = (kind: string, name: string): RecordedObject[] =>
    objects.filter(({ object }) => json(object).kind === kind && json(object).metadata.name === name);
  const cronJob = named('CronJob', 'report')[0];
  const states = [...changes(named('Job', JOB.name)), ...changes(named('Pod', POD.name))];
  const scheduled = json(states[0]!.object).metadata.annotations?.[SCHEDULED] ?? '';
  const run = states.toSorted((a, b) => a.observedAt - b.observedAt).map((state) => toTemplate(state, scheduled));
  const events = objects.filter(({ object }) => json(object).kind === 'Event').slice(0, 50);
  return new Stream(
    toTemplate(cronJob!, scheduled).bytes,
    run,
    events.map((event) => toTemplate(event, scheduled)),
    Date.parse(scheduled),
  );
}

class Stream implements Records {
  readonly first: Buffer;
  readonly #run: readonly Template[];
  readonly #events: readonly Template[];
  readonly #scheduledAt: number;
  #count = 0;
  #version = Number(VERSION);

  constructor(first: Buffer, run: readonly Template[], events: readonly Template[], scheduledAt: number) {
    this.first = first;
    this.#run = run;
    this.#events = events;
    this.#scheduledAt = scheduledAt;
  }

  changing(count: number): Buffer[] {
    return Array.from({ length: count }, () => this.#change());
  }

  mixed(count: number): Buffer[] {
    return Array.from({ length: count }, (_, index) => {
      const turn = index % 10;
      if (turn < 3) return this.#change();
      return turn < 7 ? this.#again(turn) : this.#make(this.#events[index % this.#events.length]!, index);
    });
  }

  events(count: number): Buffer[] {
    return Array.from({ length: count }, (_, index) => this.#make(this.#events[index % this.#events.length]!, index));
  }

  /** The next state of a run, then of the next run. */
  #change(): Buffer {
    const at = this.#count++;
    return this.#make(this.#run[at % this.#run.length]!, Math.floor(at / this.#run.length));
  }

  /** The last state of the Job or pod of an earlier run. */
  #again(turn: number): Buffer {
    const runs = Math.floor(this.#count / this.#run.length);
    if (runs < 2) return this.#change();
    const last = this.#run.findLast(({ kind }) => kind === ['Job', 'Pod'][turn % 2])!;
    return this.#make(last, runs - 1 - (turn % Math.min(runs, 20)));
  }

  #make({ bytes, uids, versions, times }: Template, object: number): Buffer {
    const copy = Buffer.from(bytes);
    const id = object.toString(16).padStart(8, '0');
    const version = String(++this.#version);
    const time = new Date(this.#scheduledAt - object * 60_000).toISOString().slice(0, 19);
    for (const at of uids) copy.write(id, at, 'latin1');
    for (const at of versions) copy.write(version, at, 'latin1');
    for (const at of times) copy.write(time, at, 'latin1');
    return copy;
  }
}

/** The versions that show something else than the one before. */
function changes(versions: readonly RecordedObject[]): RecordedObject[] {
  let before = '';
  return versions.filter(({ object, deleted }) => {
    const facts = JSON.stringify({ ...readObject(object), resourceVersion: '' });
    const isChange = facts !== before && !deleted;
    before = facts;
    return isChange;
  });
}

function toTemplate({ object, observedAt }: RecordedObject, scheduled: string): Template {
  const copy = structuredClone(json(object));
  copy.metadata.resourceVersion = VERSION;
  if (copy.kind === 'Event') copy.metadata.uid = EVENT_UID;
  const encode = (): Buffer =>
    encodeLogs([{ body: watchBody('MODIFIED', copy), observedAt }], { clusterName: 'bench' });
  const managed: unknown[] = [copy.metadata.managedFields];
  for (let bytes = encode(); bytes.length < RECORD_BYTES; bytes = encode()) {
    managed.push({
      manager: 'kubelet',
      operation: 'Update',
      fieldsV1: { 'f:status': { 'f:phase': {}, 'f:podIPs': {} } },
    });
    copy.metadata.managedFields = managed;
  }
  const bytes = encode();
  return {
    kind: copy.kind,
    bytes,
    uids: [JOB.uid, POD.uid, EVENT_UID].flatMap((uid) => found(bytes, uid)),
    versions: found(bytes, VERSION),
    times: found(bytes, scheduled),
  };
}

function found(bytes: Buffer, text: string): number[] {
  const at: number[] = [];
  for (let next = bytes.indexOf(text); next >= 0; next = bytes.indexOf(text, next + 1)) at.push(next);
  return at;
}

function json(object: object): KubeJson {
  return object as KubeJson;
}
