import type { Page, SeenCronJob } from '../../store/read.ts';
import { type Child, html } from '../html.ts';
import { badge, href, paging, RUN_LOOKS, runHref, time } from '../parts.ts';
import type { CronJobsQuery } from '../query.ts';
import type { PageContent } from './layout.ts';
import { problemMark } from './problems.ts';
import { table } from './table.ts';
import { unjudgedMark } from './unjudged.ts';

/** Every CronJob that is followed, with its newest run; one without a run is shown too. */
export function cronJobsPage(page: Page<SeenCronJob>, query: CronJobsQuery): PageContent {
  const given = { namespace: query.namespace, runs: query.withoutRun === true ? 'none' : undefined };
  const rows = page.items.map(
    ({ uid, namespace, name, lastRun, problems, unjudged }) =>
      html`<tr id="cronjob-${uid}">
        <td class="name">
          <a href="${href('/', { namespace, owner: name })}">${namespace}/${name}</a>
          ${problemMark(namespace, name, problems)} ${unjudgedMark(unjudged)}
        </td>
        <td>${lastRun === undefined ? 'no run was seen' : badge(RUN_LOOKS[lastRun.status])}</td>
        <td class="name">${lastRun !== undefined && html`<a href="${runHref(lastRun.uid)}">${lastRun.name}</a>`}</td>
        <td class="when">${lastRun !== undefined && time(lastRun.startedAt, 'not started')}</td>
      </tr>`,
  );
  return {
    title: 'CronJobs',
    tab: '/',
    body: html`<p class="crumb"><a href="/">Runs</a></p>
      <h1>CronJobs</h1>
      <nav class="filter" aria-label="Runs">
        ${filter('all', undefined, given)}${filter('without a run', 'none', given)}
      </nav>
      ${table('CronJobs', ['CronJob', 'Last run', 'Run', 'Started'], rows, 'No CronJob here.')}
      ${paging('/cronjobs', { ...given, cursor: query.cursor }, page.next)}`,
  };
}

function filter(
  label: string,
  runs: string | undefined,
  given: { namespace: string | undefined; runs: string | undefined },
): Child {
  const to = href('/cronjobs', { ...given, runs });
  return html`<a href="${to}" aria-current="${String(runs === given.runs)}">${label}</a>`;
}
