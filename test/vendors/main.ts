import { parseArgs } from 'node:util';
import { DEFAULT_KEY, startVendors } from './start-vendors.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string' },
    port: { type: 'string', default: '0' },
    key: { type: 'string', default: DEFAULT_KEY },
  },
});
const { host, key } = values;
const vendors = await startVendors({ ...(host !== undefined && { host }), port: Number(values.port), key });
console.log(`vendors: ${vendors.url}/`);

const stop = (): void => {
  vendors.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
