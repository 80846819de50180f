import type { SinkModule } from '../module.ts';
import type { GithubConfig } from './config.ts';
import { githubSchema } from './config.ts';
import { createGithubPlanner, READS } from './plan.ts';

const PERMISSION =
  'The token or App needs the repository permission artifact metadata: write (for Deployments also deployments: write) on every repository whose images run in the cluster; a replaced file is taken at once.';

const UNKNOWN =
  'Build the image with a provenance attestation (actions/attest-build-provenance), or name its repository with the annotation github.lifecycle-bridge.io/repository.';

/** GitHub: a deployment record of each container that runs, and Deployments of rollouts. */
export const github = {
  title: 'Organisations at GitHub',
  schema: githubSchema,
  setFirst: 'credentialFile',
  reads: READS,
  planner(name, config, { pageUrl }) {
    const { credential: _, credentialFile: _1, app: _2, apiUrl: _3, bulkSync: _4, dryRun: _5, ...settings } = config;
    return createGithubPlanner(name, { ...settings, pageUrl });
  },
  async deliverer(name, config, deps) {
    const { createGithubDeliverer } = await import('./deliver.ts');
    return createGithubDeliverer(name, config, deps);
  },
  hosts: ({ apiUrl }) => ({ apiUrl }),
  advice: { unauthorized: PERMISSION, forbidden: PERMISSION, not_found: PERMISSION, unknown_artifact: UNKNOWN },
  doc: 'docs/github.md',
} as const satisfies SinkModule<GithubConfig>;
