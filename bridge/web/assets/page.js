// Shows times in the viewer's zone and keeps the page current while it is open: /events tells that something changed.
const PAUSE_MS = 250;
/** What takes longer shows it, and what no event told is seen then. */
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
    element.textContent = (at.toDateString() === today ? sameDay : otherDay).format(at);
  }
}

/** A person who selects text, or has opened something, is not disturbed. */
function busy(main) {
  return document.hidden || !getSelection().isCollapsed || main.querySelector('details[open]') !== null;
}

/** Fetches this page again and shows it, unless that would disturb. */
async function update() {
  const main = document.querySelector('main');
  const live = document.querySelector('#live');
  if (busy(main)) return;
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(10_000) });
    if (response.status === 401) return location.reload();
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    const fresh = page.querySelector('main');
    localTimes(fresh);
    live.textContent = '';
    if (busy(main)) return;
    shown = page.body.dataset.live;
    if (fresh.innerHTML === main.innerHTML) return;
    const focused = document.activeElement?.closest('main a')?.getAttribute('href');
    main.innerHTML = fresh.innerHTML;
    if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  } catch {
    live.textContent = AWAY;
  }
}

let shown = document.body.dataset.live;
let told = shown;
let running = false;

/** Until what is shown is what was told: changes that come meanwhile share the next fetch. */
async function catchUp() {
  if (running) return;
  running = true;
  while (told !== shown && !document.hidden) {
    await update();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (told !== shown && document.querySelector('#live').textContent === AWAY) break;
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
    told = data;
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
listen();
document.addEventListener('visibilitychange', listen);
setInterval(() => void update(), NOW_AND_THEN_MS);
