import { parseArgs } from 'node:util';
import { DEFAULT_KEY, startVendors } from './start-vendors.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, key: { type: 'string', default: DEFAULT_KEY } },
});
const vendors = await startVendors({ port: Number(values.port), key: values.key });
console.log(`vendors: ${vendors.url}/`);

const stop = (): void => {
  vendors.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
