import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import { eventText } from '../../lifecycle/event.ts';
import type { RunDetail } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { time } from '../parts.ts';

/** What Kubernetes said about a run and its pods, as long as that is kept. Empty where Events are not watched. */
export function events({ events, run }: RunDetail): Child {
  if (events.length === 0) return undefined;
  return html`<h2>Kubernetes Events</h2>
    <ol class="timeline">
      ${events.map((event) => line(event, run.uid))}
    </ol>`;
}

function line(event: EventFacts, runUid: string): Html {
  const { type, lastAt, regarding, component } = event;
  const who = [regarding.uid === runUid ? undefined : regarding.name, component].filter(Boolean).join(', by ');
  return html`<li class="${type === 'Warning' ? 'warn' : 'quiet'}">
    ${time(lastAt)} <span>${eventText(event)} <small>${who}</small></span>
  </li>`;
}
