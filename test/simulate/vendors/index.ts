import { cronitor } from './cronitor/account.ts';
import { echo } from './echo/account.ts';
import { github } from './github/account.ts';
import { kubernetes } from './kubernetes/account.ts';
import { opentelemetry } from './opentelemetry/account.ts';
import { sentry } from './sentry/account.ts';
import type { SimulatedVendor } from './vendor.ts';

/** Every vendor of the simulation, by the key of its sink: the only list of them. */
export const VENDORS: Readonly<Record<string, SimulatedVendor>> = {
  cronitor,
  echo,
  github,
  kubernetes,
  opentelemetry,
  sentry,
};
