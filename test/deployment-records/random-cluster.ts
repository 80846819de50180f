import type { Facts } from '../../bridge/kubernetes/observation.ts';
import type { Pod, Workload } from './random-parts.ts';
import { CONTAINERS, isBatch, isOfJob, isOlder, KINDS, letter, nameOf, pick, short } from './random-parts.ts';
import type { Thing } from './world.ts';
import { cronJob, daemonSet, deployment, digest, factsOf, job, pod, replicaSet, statefulSet } from './world.ts';

/** What happened to one object. */
export interface Event {
  readonly facts: Facts;
  readonly deleted: boolean;
}

/** A cluster in which workloads and pods come, change and go as numbers say; each step gives what its watches see. */
export class RandomCluster {
  readonly #live = new Map<string, Facts>();
  readonly #workloads = new Set<Workload>();
  readonly #pods = new Set<Pod>();
  #events: Event[] = [];
  #count = 0;

  get live(): Facts[] {
    return [...this.#live.values()];
  }

  step(number: number): Event[] {
    this.#events = [];
    this.#count++;
    const acts = [
      () => this.#create(number),
      () => this.#startPod(number),
      () => this.#startPod(number),
      () => this.#run(number),
      () => this.#run(number),
      () => this.#reveal(),
      () => this.#changeInPlace(number),
      () => this.#deletePod(number),
      () => this.#deletePod(number),
      () => this.#rollOut(number),
      () => this.#scale(number),
      () => this.#deleteWorkload(number),
      () => this.#leave(number),
      () => this.#finish(number),
    ];
    acts[number % acts.length]!();
    return this.#events;
  }

  /** Pods whose workload is gone go too. */
  collectGarbage(): Event[] {
    this.#events = [];
    for (const one of this.#pods) {
      if (this.#workloads.has(one.of)) continue;
      this.#pods.delete(one);
      this.#remove(this.#podThing(one));
    }
    return this.#events;
  }

  /** The digests that each name runs, of its oldest workload that runs any. */
  running(): Map<string, Set<string>> {
    const names = new Map<string, { of: Workload; digests: Set<string> }>();
    for (const one of this.#pods) {
      const isOver = one.phase === 'Succeeded' || one.phase === 'Failed';
      if (one.phase === 'Pending' || (isOver && !isOfJob(one))) continue;
      for (const [key, letter] of Object.entries(one.runs)) {
        if (letter === '') continue;
        const name = nameOf(one.of, key);
        const known = names.get(name);
        if (known === undefined || isOlder(one.of, known.of))
          names.set(name, { of: one.of, digests: new Set([digest(letter)]) });
        else if (known.of === one.of) known.digests.add(digest(letter));
      }
    }
    return new Map([...names].map(([name, { digests }]) => [name, digests]));
  }

  /** The names that stay as they are though nothing of them may run. */
  held(): Set<string> {
    const wanted = [...this.#workloads].filter((one) => !one.leaving && (one.replicas > 0 || isBatch(one.kind)));
    const pods = [...this.#pods].filter((one) => (one.phase !== 'Succeeded' && one.phase !== 'Failed') || isOfJob(one));
    return new Set([
      ...wanted.flatMap((one) => one.containers.map((key) => nameOf(one, key))),
      ...pods.flatMap((one) => Object.keys(one.runs).map((key) => nameOf(one.of, key))),
      ...[...this.#live.values()].flatMap((facts) => this.#heldByJob(facts)),
    ]);
  }

  #heldByJob(facts: Facts): string[] {
    if (facts.kind !== 'Job' || facts.owner === undefined) return [];
    return (facts.containerNames ?? []).map((name) => `${facts.namespace}/${facts.owner!.name}/${name}`);
  }

  #create(number: number): void {
    const kind = KINDS[Math.floor(number / 20) % KINDS.length]!;
    const name = ['web', 'api'][Math.floor(number / 200) % 2]!;
    if ([...this.#workloads].some((one) => one.kind === kind && one.name === name)) return;
    const containers = CONTAINERS[number % CONTAINERS.length]!;
    const age = this.#count;
    const one: Workload = {
      kind,
      name,
      uid: `${kind}-${this.#count}`,
      age,
      containers,
      replicas: 2,
      image: number,
      leaving: false,
      child: undefined,
      children: [],
    };
    this.#workloads.add(one);
    this.#put(this.#thingOf(one));
    this.#newChild(one);
  }

  /** What a Deployment makes for each revision, and a CronJob for each run. */
  #newChild(one: Workload): void {
    const meta = { uid: `${one.uid}-${this.#count}` };
    const names = one.containers.map(short);
    if (one.kind === 'Deployment')
      one.child = replicaSet(`${one.name}-${this.#count}`, this.#thingOf(one), names, 2, meta);
    else if (one.kind === 'CronJob') one.child = job(`${one.name}-${this.#count}`, names, this.#thingOf(one), meta);
    else one.child = undefined;
    if (one.child === undefined) return;
    one.children.push(one.child);
    this.#put(one.child);
  }

  #startPod(number: number): void {
    const one = pick(
      [...this.#workloads].filter((it) => !it.leaving && it.replicas > 0),
      number,
    );
    if (one === undefined) return;
    if (one.kind === 'CronJob' && number % 3 === 0) this.#newChild(one);
    const runs = Object.fromEntries(one.containers.map((key) => [key, '']));
    const made: Pod = {
      name: `${one.uid}-p${this.#count}`,
      of: one,
      owner: one.child ?? this.#thingOf(one),
      age: this.#count,
      phase: 'Pending',
      runs,
    };
    this.#pods.add(made);
    this.#putPod(made);
  }

  #run(number: number): void {
    const one = pick(
      [...this.#pods].filter(({ phase }) => phase === 'Pending'),
      number,
    );
    if (one === undefined) return;
    one.phase = 'Running';
    const isLate = number % 5 === 0;
    for (const [index, key] of Object.keys(one.runs).entries())
      if (!isLate || index > 0) one.runs[key] = letter(one.of.image);
    this.#putPod(one);
  }

  #reveal(): void {
    const one = [...this.#pods].find(({ phase, runs }) => phase === 'Running' && Object.values(runs).includes(''));
    if (one === undefined) return;
    for (const key of Object.keys(one.runs)) one.runs[key] ||= letter(one.of.image);
    this.#putPod(one);
  }

  #changeInPlace(number: number): void {
    const one = pick(
      [...this.#pods].filter(({ phase }) => phase === 'Running'),
      number,
    );
    if (one === undefined) return;
    one.runs[Object.keys(one.runs)[0]!] = letter(number);
    this.#putPod(one);
  }

  #deletePod(number: number): void {
    const one = pick([...this.#pods], number);
    if (one === undefined) return;
    this.#pods.delete(one);
    this.#remove(this.#podThing(one));
    const { of } = one;
    if (of.leaving && this.#workloads.has(of) && ![...this.#pods].some((pod) => pod.of === of))
      this.#removeWorkload(of);
  }

  #rollOut(number: number): void {
    const one = pick(
      [...this.#workloads].filter((it) => !it.leaving && it.kind !== 'Job'),
      number,
    );
    if (one === undefined) return;
    one.image = number;
    one.containers = CONTAINERS[number % CONTAINERS.length]!;
    this.#put(this.#thingOf(one));
    if (one.kind === 'Deployment') this.#newChild(one);
  }

  #scale(number: number): void {
    const one = pick(
      [...this.#workloads].filter((it) => !it.leaving && !isBatch(it.kind)),
      number,
    );
    if (one === undefined) return;
    one.replicas = one.replicas === 0 ? 2 : 0;
    this.#put(this.#thingOf(one));
  }

  /** In the background: the object goes at once, its pods are still there. */
  #deleteWorkload(number: number): void {
    const one = pick(
      [...this.#workloads].filter((it) => !it.leaving),
      Math.floor(number / 30),
    );
    if (one !== undefined && number % 2 === 0) this.#removeWorkload(one);
  }

  /** In the foreground: the object goes after its pods. */
  #leave(number: number): void {
    const one = pick(
      [...this.#workloads].filter((it) => [...this.#pods].some(({ of }) => of === it)),
      number,
    );
    if (one === undefined || one.leaving) return;
    one.leaving = true;
    this.#put(this.#thingOf(one));
  }

  #finish(number: number): void {
    const one = pick(
      [...this.#pods].filter(({ phase }) => phase === 'Running'),
      number,
    );
    if (one === undefined) return;
    one.phase = number % 2 === 0 ? 'Succeeded' : 'Failed';
    this.#putPod(one);
  }

  #removeWorkload(one: Workload): void {
    this.#workloads.delete(one);
    this.#remove(this.#thingOf(one));
    for (const child of one.children) this.#remove(child);
  }

  #thingOf({ kind, name, uid, age, containers, replicas, leaving }: Workload): Thing {
    const created = { creationTimestamp: new Date(Date.UTC(2026, 0, 1) + age * 1_000).toISOString() };
    const meta = { uid, ...created, ...(leaving && { deletionTimestamp: '2026-01-05T10:05:00Z' }) };
    const names = containers.map(short);
    if (kind === 'Deployment') return deployment(name, names, replicas, { generation: 1, ...meta });
    if (kind === 'StatefulSet') return statefulSet(name, names, replicas, { generation: 1, ...meta });
    if (kind === 'DaemonSet') return daemonSet(name, names, replicas, { generation: 1, ...meta });
    if (kind === 'ReplicaSet') return replicaSet(name, undefined, names, replicas, meta);
    return kind === 'Job' ? job(name, names, undefined, meta) : cronJob(name, names, meta);
  }

  #podThing({ name, owner, runs, phase, age }: Pod): Thing {
    return pod(name, owner, runs, { phase, age });
  }

  #putPod(one: Pod): void {
    this.#put(this.#podThing(one));
  }

  #put(thing: Thing): void {
    const facts = factsOf(thing);
    this.#live.set(facts.uid, facts);
    this.#events.push({ facts, deleted: false });
  }

  #remove(thing: Thing): void {
    if (!this.#live.delete(thing.metadata.uid)) return;
    this.#events.push({ facts: factsOf(thing), deleted: true });
  }
}
