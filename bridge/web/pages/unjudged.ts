import { reasonText } from '../../lib/reasons.ts';
import type { UnjudgedView } from '../../store/unjudged.ts';
import { type Child, html } from '../html.ts';
import { time } from '../parts.ts';
import { note } from './layout.ts';

/** Why missed runs of the CronJob that is looked at are not judged. */
export function unjudgedNote(unjudged: UnjudgedView | undefined): Child {
  if (unjudged === undefined) return undefined;
  const { reason, detail, sinceAt } = unjudged;
  return note('warn', html`<b>Missed runs are not judged</b> since ${time(sinceAt)}: ${reasonText(reason, detail)}`);
}

const LABELS: Readonly<Record<UnjudgedView['reason'], string>> = {
  zone_data_differ: 'zone data differ',
  clock_ahead: 'clock of the control plane ahead',
  schedule_unreadable: 'schedule not readable',
};

/** The mark of a CronJob in a list. */
export function unjudgedMark(unjudged: UnjudgedView | undefined): Child {
  if (unjudged === undefined) return undefined;
  const { reason, detail } = unjudged;
  return html`<span class="badge warn" title="${reasonText(reason, detail)}"
    ><span aria-hidden="true">!</span> not judged: ${LABELS[reason]}</span
  >`;
}
