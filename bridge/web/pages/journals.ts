import type { Instant } from '../../lib/clock.ts';
import { reasonText } from '../../lib/reasons.ts';
import type { JournalView } from '../../store/journal.ts';
import type { RunDetail } from '../../store/read.ts';
import { type Child, html } from '../html.ts';
import { time } from '../parts.ts';
import { table } from './table.ts';

/** How far the destinations that follow everything have come. Empty when there is none. */
export function journals(rows: readonly JournalView[]): Child {
  if (rows.length === 0) return undefined;
  const cells = rows.map(
    ({ destination, waiting, oldestAt, exportedAt, ...row }) =>
      html`<tr>
        <td class="name">${destination}</td>
        <td>${waiting === 0 ? 'nothing' : `${waiting}`} ${since(waiting, oldestAt)}</td>
        <td class="when">${time(exportedAt, 'nothing yet')}</td>
        <td>${failure(row)}</td>
      </tr>`,
  );
  return html`<h2>Journals</h2>
    ${table('Journals', ['Destination', 'Waits', 'Last taken', 'Last failure'], cells, '')}`;
}

function since(waiting: number, at: Instant | undefined): Child {
  return waiting > 0 && at !== undefined && html`<small>since ${time(at)}</small>`;
}

function failure({ reason, detail, attempts, nextAt }: Pick<JournalView, 'reason' | 'detail' | 'attempts' | 'nextAt'>) {
  if (reason === undefined) return undefined;
  const tries = attempts > 1 && html`<small>${attempts} tries</small>`;
  return html`${reasonText(reason, detail)} ${tries} <small>next try ${time(nextAt)}</small>`;
}

/** What of a run is not exported yet, for each destination that follows the journal. */
export function runJournals({ journals }: Pick<RunDetail, 'journals'>): Child {
  const open = journals.filter(({ waiting }) => waiting > 0);
  if (open.length === 0) return undefined;
  return html`<h2>Not exported yet</h2>
    <ul class="facts">
      ${open.map(
        ({ destination, waiting, reason, detail }) =>
          html`<li>${destination}: ${waiting} of its lines${reason && html`, ${reasonText(reason, detail)}`}</li>`,
      )}
    </ul>`;
}
