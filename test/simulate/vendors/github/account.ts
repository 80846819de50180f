import type { Tree } from '../../../../bridge/config/tree.ts';
import { Github } from '../../../vendors/github.ts';
import type { TestApp } from '../../../vendors/github-auth.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkGithub } from './check.ts';

/** An organisation at GitHub, reached by an App whose tokens live for an hour. */
export class GithubAccount extends Github implements Account {
  readonly host: string;
  #app: TestApp;

  constructor(host: string, at: () => number) {
    super('');
    this.auth.tokens.clear();
    this.#app = this.auth.createApp();
    this.host = host;
    this.clock = at;
  }

  settings(): Tree {
    const { id, installationId, privateKey: credential } = this.#app;
    return {
      org: 'acme',
      app: { id, installationId },
      credential,
      apiUrl: `https://${this.host}`,
      cluster: 'prod-1',
      logicalEnvironment: 'production',
      deployments: { repositories: ['*'] },
    };
  }

  rotate(): void {
    this.auth.revoke();
    this.#app = this.auth.createApp(this.#app.id + 1);
  }

  /** Whatever is sent may be sent again: records are set, Deployments are looked for. */
  said(): string {
    return '';
  }

  limitOf(): string {
    return 'api';
  }

  heard(uid: string): string[] {
    const own = this.releases.deployments.filter(({ payload }) => (payload as { run?: unknown }).run === uid);
    return own.flatMap(({ id, statuses }) =>
      statuses.map(({ at, state }) => `${new Date(at).toISOString()} Deployment ${id} ${state}`),
    );
  }
}

export const github: SimulatedVendor<GithubAccount> = {
  sink: 'github',
  open: (host, at) => new GithubAccount(host, at),
  check: checkGithub,
};
