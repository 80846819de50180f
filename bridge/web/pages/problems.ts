import type { ObjectProblems, ProblemView } from '../../store/problems.ts';
import { PLANNER_ERROR } from '../../store/problems.ts';
import type { Page } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { href, paging, time } from '../parts.ts';
import { parameters, type ProblemsQuery } from '../query.ts';
import { note, type PageContent } from './layout.ts';
import { table } from './table.ts';

/** Every annotation that cannot be read, by its object. */
export function problemsPage(page: Page<ObjectProblems>, query: ProblemsQuery): PageContent {
  const rows = page.items.flatMap((object) =>
    object.problems.map(
      (problem, index) =>
        html`<tr>
          <td class="name">${index === 0 && objectLink(object)}</td>
          <td>${given(problem)}</td>
          <td>${problem.allowed}</td>
          <td>${problem.used}</td>
          <td>${problem.destinations.join(', ')}</td>
          <td class="when">${time(problem.sinceAt)}</td>
          <td>${index === 0 && eventText(object)}</td>
        </tr>`,
    ),
  );
  const head = ['Object', 'Annotation', 'Allowed', 'Used instead', 'Destination', 'Since', 'Kubernetes Event'];
  return {
    title: 'Annotations',
    tab: '/',
    body: html`<p class="crumb"><a href="/">Runs</a></p>
      <h1>Annotations that cannot be read</h1>
      <p class="hint">Their objects are reported all the same, with what is used instead.</p>
      ${table('Annotations', head, rows, 'Every annotation can be read.')}
      ${paging('/problems', parameters(query), page.next)}`,
  };
}

/** What is wrong with the annotations of the CronJob that is looked at. */
export function problemNotes(problems: readonly ProblemView[]): Child {
  return problems.map((problem) =>
    note(
      'warn',
      html`<b>An annotation cannot be read:</b> ${given(problem)}. Allowed: ${problem.allowed}. Used instead:
        ${problem.used}.`,
    ),
  );
}

/** The mark of a CronJob in a list. */
export function problemMark(namespace: string, name: string, problems: readonly ProblemView[]): Child {
  if (problems.length === 0) return undefined;
  const label = problems.length === 1 ? '1 annotation' : `${problems.length} annotations`;
  return html`<a class="badge warn" href="${href('/problems', { namespace, name })}"
    ><span aria-hidden="true">!</span> ${label} cannot be read</a
  >`;
}

function given({ annotation, value }: ProblemView): Html {
  if (annotation === PLANNER_ERROR) return html`the bridge failed to plan: <code>${value}</code>`;
  return html`<code>${annotation}: ${JSON.stringify(value)}</code>`;
}

function objectLink({ kind, namespace, name }: ObjectProblems): Html {
  const full = namespace === '' ? name : `${namespace}/${name}`;
  if (kind !== 'CronJob') return html`${kind} ${full}`;
  return html`<a href="${href('/', { namespace, owner: name })}">${full}</a>`;
}

function eventText({ eventAt, eventError }: ObjectProblems): Child {
  if (eventError !== undefined) return `not written: ${eventError}`;
  return eventAt === undefined ? 'not written yet' : html`written ${time(eventAt)}`;
}
