import { OLD_TOOLS } from './tools.ts';

/** How `migrate-from` is called, and what it does. */
export const MIGRATE_FROM = {
  synopsis:
    'migrate-from TOOL (FILE | --env FILE | --release NAME --namespace NS [--kubeconfig FILE]) [--namespace NS]',
  does: `print chart values for what an older tool was installed with: ${[...OLD_TOOLS.keys()].join(', ')}`,
} as const;
