import { KubeConfig, Watch } from '@kubernetes/client-node';

/** The least that a program does that hears of runs: two watches by client-node, of which it makes nothing. */
const config = new KubeConfig();
config.loadFromFile(process.argv[2]!);
const watch = new Watch(config);
const watching = ['/apis/batch/v1/jobs', '/api/v1/pods'].map((path) =>
  watch.watch(
    path,
    {},
    () => undefined,
    (error) => {
      throw error instanceof Error ? error : new Error('a watch ended');
    },
  ),
);
await Promise.all(watching);
process.send?.('watching');
process.once('disconnect', () => process.exit());
