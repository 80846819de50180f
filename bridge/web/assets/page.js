// Shows times in the viewer's zone and keeps the page current while it is open.
const EVERY_MS = 3000;

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

async function update() {
  const main = document.querySelector('main');
  const live = document.querySelector('#live');
  if (busy(main)) return;
  try {
    const response = await fetch(location.href, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main');
    localTimes(fresh);
    live.textContent = '';
    if (busy(main) || fresh.innerHTML === main.innerHTML) return;
    const focused = document.activeElement?.closest('main a')?.getAttribute('href');
    main.innerHTML = fresh.innerHTML;
    if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  } catch {
    live.textContent = 'The bridge does not answer; this page shows what was last known.';
  }
}

async function keepCurrent() {
  await update();
  setTimeout(keepCurrent, EVERY_MS);
}

localTimes(document);
setTimeout(keepCurrent, EVERY_MS);
