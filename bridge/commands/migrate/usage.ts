/** How `migrate-from` is called, and what it does. */
export const MIGRATE_FROM = {
  synopsis:
    'migrate-from cronitor (FILE | --env FILE | --release NAME --namespace NS [--kubeconfig FILE]) [--namespace NS]',
  does: 'print chart values for what cronitor-kubernetes was installed with',
} as const;
