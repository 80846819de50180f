import { githubCase } from './github-case.ts';
import { sinkContract } from './sink-contract.ts';

sinkContract('GitHub', (vendors) => githubCase(vendors));
