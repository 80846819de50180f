import { type Html, html } from '../html.ts';

/** A list with its head, or a line that says that it is empty. `label` names it for screen readers. */
export function table(label: string, head: readonly string[], rows: readonly Html[], empty: string): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<table class="list" aria-label="${label}">
    <thead>
      <tr>
        ${head.map((name) => html`<th>${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
