import { readJson } from '../../lib/json.ts';
import type { ClaimedDesired, ClaimedIntent, Delivery } from '../sink.ts';
import type { GithubClient } from './client.ts';
import { readDeploymentIntent } from './deployment.ts';
import type { DeploymentIntent } from './deployment.ts';
import { fieldsOf, objectOf } from './fields.ts';
import type { Standing } from './standing.ts';
import type { Reply } from './reply.ts';

const TASK = 'deploy';
/** How many of the newest Deployments are looked through for one of ours. */
const PAGE = 100;
/** The most earlier Deployments of a workload that are looked at. */
const MAX_CLOSED = 20;
/** A person may give the permission, or make the repository, until the intent expires. */
const REFUSED_MS = 10 * 60_000;
const MAX_CONFLICTS = 5;
/** How often the end of a rollout is waited for, which is mostly reported within seconds. */
const MAX_AWAITED = 30;

const DELIVERED: Delivery = { outcome: 'delivered' };
const ROLLING_OUT: Delivery = { outcome: 'retry', reason: 'awaiting_turn', detail: 'its rollout', afterMs: 10_000 };
const UNREADABLE: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'the stored Deployment cannot be read' };

/** What goes on, or why it does not. */
type Found<T> = { readonly found: T } | { readonly delivery: Delivery };

interface Deployment {
  readonly id: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Gives the Deployment of a rollout its status. It is looked for before it is made, and its last status before the next, so
 * a request whose answer was lost is not made twice. An earlier Deployment of the same workload is closed by a success.
 */
export async function deliverDeployment(
  client: GithubClient,
  { payload, attempt }: ClaimedIntent,
  signal: AbortSignal,
): Promise<Delivery> {
  const wanted = readDeploymentIntent(payload);
  if (wanted === undefined) return UNREADABLE;
  const delivery = await new DeploymentApi(client, wanted, signal).bring(wanted);
  return asIntent(delivery, attempt);
}

/** Closes what stands of a workload that is deleted. */
export function closeDeployments(
  client: GithubClient,
  standing: Standing,
  { attempt }: Pick<ClaimedDesired, 'attempt'>,
  signal: AbortSignal,
): Promise<Delivery> {
  return new DeploymentApi(client, standing, signal).closeAll(attempt <= MAX_AWAITED);
}

/** A refusal that may end is tried again: an intent that is dropped is lost. */
function asIntent(delivery: Delivery, attempt: number): Delivery {
  if (delivery.outcome !== 'drop') return delivery;
  const { reason, hold, afterMs } = delivery;
  const mayEnd = hold !== undefined || reason === 'forbidden' || reason === 'not_found';
  if (!mayEnd && !(reason === 'conflict' && attempt <= MAX_CONFLICTS)) return delivery;
  const { detail = '' } = delivery;
  const pauseMs = afterMs ?? (reason === 'conflict' ? 0 : REFUSED_MS);
  return { outcome: 'retry', reason, detail, afterMs: pauseMs, unknown: false, ...(hold && { hold }) };
}

type Place = Pick<DeploymentIntent, 'owner' | 'repo' | 'environment' | 'workload'>;

class DeploymentApi {
  readonly #client: GithubClient;
  readonly #wanted: Place;
  readonly #signal: AbortSignal;
  readonly #path: string;

  constructor(client: GithubClient, wanted: Place, signal: AbortSignal) {
    this.#client = client;
    this.#wanted = wanted;
    this.#signal = signal;
    this.#path = `/repos/${encodeURIComponent(wanted.owner)}/${encodeURIComponent(wanted.repo)}/deployments`;
  }

  async bring(wanted: DeploymentIntent): Promise<Delivery> {
    const { status, run, ref } = wanted;
    const listed = await this.#list({ ref });
    if ('delivery' in listed) return listed.delivery;
    const ours = listed.found.find(({ payload }) => payload['run'] === run);
    // What was never shown as open needs no end.
    if (ours === undefined && status.state === 'inactive') return DELIVERED;
    const made = ours === undefined ? await this.#create(wanted) : { found: ours.id };
    if ('delivery' in made) return made.delivery;
    const set = await this.#setStatus(made.found, status);
    return set.outcome === 'delivered' && status.state === 'success' ? this.#closeOthers(made.found) : set;
  }

  /** Deployments of the environment, the newest first. */
  async #list(filter: Readonly<Record<string, string>>): Promise<Found<readonly Deployment[]>> {
    const { environment } = this.#wanted;
    const query = new URLSearchParams({ ...filter, environment, task: TASK, per_page: String(PAGE) });
    const reply = await this.#client.call({ method: 'GET', path: `${this.#path}?${query.toString()}` }, this.#signal);
    const list = listOf(reply);
    return list === undefined ? { delivery: this.#wrong(reply) } : { found: list.flatMap(deploymentOf) };
  }

  async #create(wanted: DeploymentIntent): Promise<Found<number>> {
    const { ref, environment, description, run, workload } = wanted;
    const body = {
      ref,
      task: TASK,
      auto_merge: false,
      required_contexts: [],
      payload: { run, workload },
      environment,
      description,
    };
    const reply = await this.#client.call({ method: 'POST', path: this.#path, body }, this.#signal);
    const { id } = objectOf(reply.answer?.body ?? '');
    if (reply.answer?.status === 201 && typeof id === 'number') return { found: id };
    return { delivery: this.#wrong(reply) };
  }

  /** Not a status that it has, and nothing after an end but another end. */
  async #setStatus(id: number, status: DeploymentIntent['status']): Promise<Delivery> {
    const states = await this.#lastStates(id);
    if ('delivery' in states) return states.delivery;
    const [last] = states.found;
    if (last === status.state) return DELIVERED;
    if (status.state === 'in_progress' && last !== undefined) return DELIVERED;
    return this.#post(id, status);
  }

  async #post(id: number, status: object): Promise<Delivery> {
    // Others deploy to the same environment: what is closed is only what this one replaces.
    const body = { ...status, auto_inactive: false };
    const reply = await this.#client.call({ method: 'POST', path: `${this.#path}/${id}/statuses`, body }, this.#signal);
    return reply.answer?.status === 201 ? DELIVERED : this.#wrong(reply);
  }

  /** The newest that succeeded, and what a lost answer may have left before it. `awaits`: the end of a rollout comes first. */
  async closeAll(awaits: boolean): Promise<Delivery> {
    const listed = await this.#list({});
    if ('delivery' in listed) return listed.delivery;
    const own = listed.found.filter(({ payload }) => payload['workload'] === this.#wanted.workload);
    for (const { id } of own.slice(0, MAX_CLOSED)) {
      const states = await this.#lastStates(id);
      if ('delivery' in states) return states.delivery;
      const [last, before] = states.found;
      if (last === 'inactive' && before === 'success') return DELIVERED;
      if (last === 'in_progress' && awaits) return ROLLING_OUT;
      if (last !== 'success' && last !== 'in_progress') continue;
      const closed = await this.#post(id, { state: 'inactive', description: 'its workload is deleted' });
      if (closed.outcome !== 'delivered') return closed;
    }
    return DELIVERED;
  }

  /** Of the Deployments of the workload the newest that succeeded stays so, also where this one comes late. */
  async #closeOthers(made: number): Promise<Delivery> {
    const listed = await this.#list({});
    if ('delivery' in listed) return listed.delivery;
    const own = listed.found.filter(({ id, payload }) => id === made || payload['workload'] === this.#wanted.workload);
    let standing: number | undefined;
    for (const { id } of own.slice(0, own.findIndex((one) => one.id === made) + 1 + MAX_CLOSED)) {
      const states = await this.#lastStates(id);
      if ('delivery' in states) return states.delivery;
      const [last, before] = states.found;
      // Closed when the next one succeeded, and with it all before it; one that was overtaken never stood.
      if (last === 'inactive' && before === 'success' && id < made) return DELIVERED;
      if (last !== 'success') continue;
      standing ??= id;
      if (id === standing) continue;
      const closed = await this.#post(id, { state: 'inactive', description: 'superseded by a later rollout' });
      if (closed.outcome !== 'delivered') return closed;
    }
    return DELIVERED;
  }

  /** The newest two, the newest first. */
  async #lastStates(id: number): Promise<Found<readonly unknown[]>> {
    const path = `${this.#path}/${id}/statuses?per_page=2`;
    const reply = await this.#client.call({ method: 'GET', path }, this.#signal);
    const list = listOf(reply) as readonly { readonly state?: unknown }[] | undefined;
    return list === undefined ? { delivery: this.#wrong(reply) } : { found: list.map((status) => status?.state) };
  }

  /** Of what is not the answer that was expected: a success, too. */
  #wrong(reply: Reply): Delivery {
    return reply.delivery.outcome === 'delivered' ? this.#client.badAnswer(reply) : reply.delivery;
  }
}

function listOf({ delivery, answer }: Reply): readonly unknown[] | undefined {
  const list = delivery.outcome === 'delivered' ? readJson(answer?.body ?? '') : undefined;
  return Array.isArray(list) ? list : undefined;
}

/** Its payload is an object, or the text of one. */
function deploymentOf(item: unknown): Deployment[] {
  const { id, payload } = fieldsOf(item);
  if (typeof id !== 'number') return [];
  return [{ id, payload: typeof payload === 'string' ? objectOf(payload) : fieldsOf(payload) }];
}
