import { existsSync } from 'node:fs';

import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env['LIFECYCLE_BRIDGE_CHROMIUM'] ?? '/usr/bin/chromium';
/** As root in a container there is no sandbox; nothing may be fetched from elsewhere. */
const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-gpu',
];

/** Whether tests can look at the page; says so where they cannot. */
export const haveChromium = existsSync(CHROMIUM);
if (!haveChromium)
  process.stderr.write(`\nSKIPPED: the tests of the page need Chromium at ${CHROMIUM} (apt-get install chromium)\n\n`);

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}
