import { logName, logOutcome } from '../../lib/log-text.ts';
import type { LogView, RunDetail } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';

/** More of a tail is for the vendor, not for a page that every change loads again. */
const SHOWN = 16 * 1024;

/** The logs of a run's containers: the tails, or why there is none. Empty when no destination takes them. */
export function logs({ logs, attempts }: RunDetail): Child {
  if (logs.length === 0) return undefined;
  return html`<h2>Logs</h2>
    ${logs.map((log) => oneLog(log, attempts.length > 1))}`;
}

function oneLog(log: LogView, pods: boolean): Html {
  const { podName, exitCode, text } = log;
  const name = html`<b>${logName(log)}</b> exit ${exitCode}, ${logOutcome(log)}
    ${pods && html`<small>${podName}</small>`}`;
  if (text === undefined) return html`<p class="log">${name}</p>`;
  return html`<details class="log" id="log-${log.podName}-${log.container}-${log.instance}">
    <summary>${name}</summary>
    ${text.length > SHOWN && html`<p class="hint">Its last ${SHOWN} characters:</p>`}
    <pre tabindex="0">${text.slice(-SHOWN)}</pre>
  </details>`;
}
