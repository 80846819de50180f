import type { Json } from '../../lib/json.ts';
import { reasonText } from '../../lib/reasons.ts';
import { OWN_CLAIM } from '../../store/desired.ts';
import type { JournalView } from '../../store/journal.ts';
import type { DeliveryView } from '../../store/delivery-view.ts';
import type { DesiredView, Page, ReadStore } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { badge, DELIVERY_LOOKS, href, paging, payload, runHref, time } from '../parts.ts';
import { type DeliveriesQuery, parameters } from '../query.ts';
import { type Frame, outboxText, type PageContent } from './layout.ts';
import { journals } from './journals.ts';
import { table } from './table.ts';
import { receipt } from './run.ts';

/** Every desired row and whether the vendor has it as it should be. */
export function desiredPage(page: Page<DesiredView>, query: { cursor?: string }): PageContent {
  const rows = page.items.map(
    (row) =>
      html`<tr>
        <td>${syncBadge(row)}</td>
        <td class="name">${row.objects.length === 0 ? 'nothing that lives' : row.objects.map(claimText)}</td>
        <td>${field(row.wanted, 'schedule')} <small>${field(row.wanted, 'timezone')}</small></td>
        <td class="name">${row.destination} <small>${row.key}</small></td>
        <td>
          ${syncText(row)} ${removalText(row)}
          ${payload(`wanted-${row.destination}-${row.key}`, 'settings', row.wanted)}
        </td>
      </tr>`,
  );
  return {
    title: 'Vendor objects',
    tab: '/desired',
    body: html`<h1>Vendor objects</h1>
      ${table('Vendor objects', ['State', 'For', 'Schedule', 'Destination and key', 'Detail'], rows, 'Nothing is kept at a vendor yet.')}
      ${paging('/desired', query, page.next)}`,
  };
}

function syncBadge({ inSync, wanted }: DesiredView): Html {
  if (!inSync) return badge({ sign: '!', tone: 'warn', label: 'not in sync' });
  if (wanted === null) return badge({ sign: '‖', tone: 'quiet', label: 'deleted' });
  return field(wanted, 'paused') === 'true'
    ? badge({ sign: '‖', tone: 'quiet', label: 'paused' })
    : badge({ sign: '✓', tone: 'good', label: 'in sync' });
}

function syncText({ inSync, notInSyncSince, reason, detail, attempts }: DesiredView): Child {
  if (inSync) return undefined;
  const tries = attempts > 0 && html`<small>${attempts} ${attempts === 1 ? 'try' : 'tries'}</small>`;
  return html`${reasonText(reason, detail)} <small>since ${time(notInSyncSince)}</small> ${tries}`;
}

function removalText({ removeAt }: DesiredView): Child {
  return removeAt !== undefined && html`<small>is deleted at the vendor after ${time(removeAt)}</small>`;
}

/** The first owns the settings; the others only send telemetry. */
function claimText(object: string, index: number): Child {
  return index === 0 ? objectLink(object) : html`${objectLink(object)} <small>${reasonText('key_conflict')}</small> `;
}

/** A CronJob is `namespace/name` alone; it has a list of runs. */
function objectLink(object: string): Child {
  if (object === OWN_CLAIM) return 'the bridge itself';
  if (object.includes(' ')) return `${object} `;
  const [namespace, owner] = object.split('/', 2);
  return html`<a href="${href('/', { namespace, owner })}">${object}</a> `;
}

function field(wanted: Json, name: string): string {
  if (wanted === null || typeof wanted !== 'object' || Array.isArray(wanted)) return '';
  const value = wanted[name];
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

/** The outbox: what waits and what became of the rest. */
export function deliveriesPage(
  page: Page<DeliveryView>,
  query: DeliveriesQuery,
  frame: Frame,
  names: RunNames,
  followed: readonly JournalView[],
): PageContent {
  const { status, cursor: _, ...rest } = parameters(query);
  const states = Object.entries(DELIVERY_LOOKS).map(
    ([name, { sign, tone, label }]) =>
      html`<a
        class="${tone}"
        href="${href('/deliveries', { ...rest, status: name })}"
        aria-current="${String(name === status)}"
        ><span aria-hidden="true">${sign}</span> ${label}</a
      >`,
  );
  const all = html`<a href="${href('/deliveries', rest)}" aria-current="${String(status === undefined)}">all</a>`;
  const head = ['State', 'Run', 'Destination', 'Receipt', 'Created', 'Settled'];
  return {
    title: 'Deliveries',
    tab: '/deliveries',
    body: html`<h1>Deliveries</h1>
      <ul class="facts">
        <li>${outboxText(frame.outbox, frame.now)}</li>
      </ul>
      <nav class="filter" aria-label="States">${all}${states}</nav>
      ${table(
        'Deliveries',
        head,
        page.items.map((row) => deliveryRow(row, names)),
        'No delivery here yet.',
      )}
      ${paging('/deliveries', parameters(query), page.next)} ${journals(followed)}`,
  };
}

function deliveryRow(row: DeliveryView, names: RunNames): Html {
  return html`<tr>
    <td>${badge(DELIVERY_LOOKS[row.status])}</td>
    <td class="name">
      ${subject(row.runUid, row.transitionId, names)} ${payload(`payload-${row.seq}`, 'payload', row.payload)}
    </td>
    <td>${row.destination}</td>
    <td>${receipt(row)}</td>
    <td class="when">${time(row.createdAt)}</td>
    <td class="when">${time(row.settledAt, 'not yet')}</td>
  </tr>`;
}

/** Run and transition by the names that people know; a transition without a run stays an id. */
export function subject(uid: string | undefined, transitionId: string, names: RunNames): Child {
  const known = uid === undefined ? undefined : names.get(uid);
  if (uid === undefined || known === undefined) return transitionId;
  return html`<a href="${runHref(uid)}">${known.name}</a> <small>${known.texts.get(transitionId)}</small>`;
}

/** Of runs by UID: `namespace/name`, and the texts of their transitions by id. */
export type RunNames = ReadonlyMap<string, { readonly name: string; readonly texts: ReadonlyMap<string, string> }>;

/** The names of the runs that these rows are about. */
export function runNames(reader: Pick<ReadStore, 'run'>, rows: readonly { runUid: string | undefined }[]): RunNames {
  const uids = new Set(rows.flatMap(({ runUid }) => runUid ?? []));
  return new Map(
    [...uids].flatMap((uid) => {
      const detail = reader.run(uid);
      if (detail === undefined) return [];
      const { run, transitions } = detail;
      const texts = new Map(transitions.map(({ id, text }) => [id, text]));
      return [[uid, { name: `${run.namespace}/${run.name}`, texts }]];
    }),
  );
}
