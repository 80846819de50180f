// Shows times in the viewer's zone and keeps the page current while it is open: /events says that something changed.
const PAUSE_MS = 250;
/** What no event announced is seen then. */
const NOW_AND_THEN_MS = 30_000;
const RECONNECT_MS = 10_000;
const AWAY = 'The bridge does not answer; this page shows what was last known.';

const sameDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });
const otherDay = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

function localTimes(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll('time')) {
    const at = new Date(element.dateTime);
    if (!Number.isNaN(at.getTime()))
      element.textContent = (at.toDateString() === today ? sameDay : otherDay).format(at);
  }
}

/** Milliseconds as the bridge writes them. */
function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '< 1 s';
  const parts = units.slice(first, first + 2).map(([unit, size], index) => {
    const whole = index === 0 ? seconds : seconds % units[first][1];
    return [Math.floor(whole / size), unit];
  });
  return parts
    .filter(([count]) => count > 0)
    .map((part) => part.join(' '))
    .join(' ');
}

/** What goes on takes longer each second, by this computer's count and not by its clock. */
let shownAt = performance.now();
function countOn() {
  const since = performance.now() - shownAt;
  for (const element of document.querySelectorAll('[data-elapsed]'))
    element.textContent = duration(Number(element.dataset.elapsed) + since);
}

/** This page as it is now; undefined when the bridge does not answer. */
async function fetchPage() {
  let response;
  let text;
  try {
    const headers = { accept: 'text/html' };
    response = await fetch(location.href, { headers, redirect: 'manual', signal: AbortSignal.timeout(10_000) });
    text = await response.text();
  } catch {
    return undefined;
  }
  if (response.status >= 500) return undefined;
  const page = new DOMParser().parseFromString(text, 'text/html');
  if (response.ok && page.querySelector('main') !== null) return page;
  // To log in again, or because what was shown is gone: the browser shows the answer, and this script ends.
  location.reload();
  return new Promise(() => {});
}

/** Shows this page as it is now. What a person has opened, focused, selected or scrolled to stays as it is. */
async function update() {
  if (document.hidden) return;
  const page = await fetchPage();
  document.querySelector('#live').textContent = page === undefined ? AWAY : '';
  if (page === undefined) return;
  shown = page.body.dataset.live;
  shownAt = performance.now();
  const fresh = page.querySelector('main');
  localTimes(fresh);
  const focused = document.activeElement?.closest('main a')?.getAttribute('href');
  Idiomorph.morph(document.querySelector('main'), fresh, {
    ignoreActiveValue: true, // somebody may be typing
    callbacks: { beforeAttributeUpdated: (name, element) => name !== 'open' || element.localName !== 'details' },
  });
  // Browsers that cannot move an element without removing it lose the focus.
  if (focused && document.activeElement === document.body)
    document.querySelector(`main a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

let shown = document.body.dataset.live;
let latest = shown;
let running = false;

/** Until what is shown is the latest: changes that come meanwhile share the next fetch. */
async function catchUp() {
  if (running) return;
  running = true;
  while (latest !== shown && !document.hidden) {
    await update();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (latest !== shown && document.querySelector('#live').textContent === AWAY) break;
  }
  running = false;
}

let events;

/** Hidden tabs listen to nothing: a browser has few connections, the bridge many pages. */
function listen() {
  if (document.hidden) {
    events?.close();
    events = undefined;
    return;
  }
  if (events !== undefined) return;
  events = new EventSource('/events');
  events.addEventListener('message', ({ data }) => {
    latest = data;
    void catchUp();
  });
  events.addEventListener('error', () => {
    if (events?.readyState === EventSource.CLOSED) {
      events = undefined;
      setTimeout(listen, RECONNECT_MS);
    }
    void update();
  });
}

localTimes(document);
const zone = document.querySelector('#zone');
if (zone !== null) zone.textContent = new Intl.DateTimeFormat().resolvedOptions().timeZone;
listen();
document.addEventListener('visibilitychange', listen);
setInterval(() => void update(), NOW_AND_THEN_MS);
setInterval(countOn, 1000);
