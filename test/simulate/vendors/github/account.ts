import type { Tree } from '../../../../bridge/config/tree.ts';
import { Github } from '../../../vendors/github.ts';
import type { Account, SimulatedVendor } from '../vendor.ts';
import { checkGithub } from './check.ts';

/** An organisation at GitHub. */
export class GithubAccount extends Github implements Account {
  readonly host: string;
  #tokens = 0;

  constructor(host: string, at: () => number) {
    super(`${host}-0`);
    this.host = host;
    this.clock = at;
  }

  settings(): Tree {
    return {
      org: 'acme',
      credential: `${this.host}-${this.#tokens}`,
      apiUrl: `https://${this.host}`,
      cluster: 'prod-1',
      logicalEnvironment: 'production',
      deployments: { repositories: ['*'] },
    };
  }

  rotate(): void {
    const [granted] = this.auth.tokens.values();
    this.auth.tokens.clear();
    this.auth.tokens.set(`${this.host}-${++this.#tokens}`, granted!);
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
