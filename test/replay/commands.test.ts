import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Bench, command, type Ended } from './bench.ts';
import { cronJob, exported, job, jobUid } from './objects.ts';

const PREFIX = 'LIFECYCLE_BRIDGE__';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'commands-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What a person reads of an error: nothing of our insides may be in it. */
function said({ code, stdout, stderr }: Ended): object {
  const insides = /^ +at .*|node:internal.*|.*Warning.*/m.exec(stdout + stderr)?.[0];
  return { code, stderr, insides };
}

/** An error with its exit code, and all of these words after each other. */
function anError(code: number, ...words: string[]): object {
  const text = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.*');
  return {
    code,
    insides: undefined,
    stderr: expect.stringMatching(new RegExp(`^error: (?=.*\n(next: |usage: )).*${text}`, 's')),
  };
}

describe('a second bridge and the commands beside a running one', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
    await bench.insist(exported(cronJob(1), cronJob(2), job(1, 1, 'running'), job(1, 1, 'complete')));
    await bench.delivered();
  });
  afterAll(() => bench.close());
  const env = (): Record<string, string> => ({
    [`${PREFIX}STORE__PATH`]: bench.bridge.storePath,
    [`${PREFIX}CLUSTER__LIST`]: 'false',
    [`${PREFIX}OTLP__PORT`]: '0',
    [`${PREFIX}WEB__PORT`]: '0',
  });

  it('refuses a second one with the pid of the first, which goes on', async () => {
    const pid = readFileSync(`${bench.bridge.storePath}.pid`, 'utf8').trim();
    expect(said(await command(['run'], env()))).toEqual(
      anError(1, `is in use by process ${pid}`, 'stop that process first'),
    );
    expect((await bench.get('readyz')).status).toBe(200);
  });

  it('explains a run, a CronJob that has not run yet, and what to do about an unknown one', async () => {
    const run = await command(['explain', jobUid(1)], env());
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(
      /✓ delivered +\S+ +cronitor\/default +started\n +✓ delivered +\S+ +cronitor\/default +\S/,
    );
    const waiting = await command(['explain', 'shop/cron-2'], env());
    expect(waiting.stdout).toMatch(
      /^shop\/cron-2: CronJob\n.*schedule +\*\/5 \* \* \* \*\n.*✓ in sync.*No run of it was seen so far/s,
    );
    expect(said(await command(['explain', 'shop/none'], env()))).toEqual(
      anError(1, 'nothing is known about shop/none'),
    );
  });

  it('checks: a line for each thing, and the running bridge on its ports', async () => {
    const [otlp, page] = [bench.bridge.endpoint.split(':')[1]!, new URL(bench.bridge.pageUrl).port];
    const ports = { [`${PREFIX}OTLP__PORT`]: otlp, [`${PREFIX}WEB__PORT`]: page, [`${PREFIX}OTLP__HOST`]: '127.0.0.1' };
    const { code, stdout, stderr } = await command(['check'], { ...env(), ...ports });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/is taken by a running bridge, version/g)).toHaveLength(2);
    expect(stdout).toContain('All checks passed.');
  });
});

describe('wrong use', () => {
  const store = (): Record<string, string> => ({
    [`${PREFIX}STORE__PATH`]: join(folder, 'bridge.db'),
    [`${PREFIX}CLUSTER__LIST`]: 'false',
    [`${PREFIX}OTLP__HOST`]: '127.0.0.1',
    [`${PREFIX}OTLP__PORT`]: '0',
    [`${PREFIX}WEB__PORT`]: '0',
  });

  it('ends with 2 and the usage of what was wanted', async () => {
    const wrong: [string[], string][] = [
      [['frobnicate'], 'there is no command frobnicate\nusage: lifecycle-bridge COMMAND'],
      [['run', '--nope'], "'--nope'\nusage: lifecycle-bridge run [--config FILE]"],
      [['run', 'extra'], 'unexpected argument extra'],
      [['replay'], 'FILE is missing\nusage: lifecycle-bridge replay FILE'],
      [['explain', 'a', 'b'], 'unexpected argument b'],
      [['record', 'file', '--listen', 'here'], '--listen was "here", not HOST:PORT'],
    ];
    await Promise.all(
      wrong.map(async ([args, words]) => expect(said(await command(args, store()))).toEqual(anError(2, words))),
    );
    const right = await Promise.all([['--help'], ['run', '--help'], ['version']].map((args) => command(args)));
    for (const ended of right) expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('says which file is missing or is not what it should be', async () => {
    const none = join(folder, 'none');
    const text = join(folder, 'text');
    writeFileSync(text, 'neither a recording nor a store\n');
    const wrong: [string[], string][] = [
      [['run', '--config', none], none],
      [['replay', none], `cannot read ${none}`],
      [['replay', text], `${text} is damaged at byte 0`],
      [['explain', 'a/b', '--store', none], `there is no store at ${none}`],
      [['explain', 'a/b', '--store', text], `${text} cannot be read as a store`],
    ];
    await Promise.all(
      wrong.map(async ([args, words]) => expect(said(await command(args, store()))).toEqual(anError(1, words))),
    );
    expect(said(await command(['run'], { ...store(), [`${PREFIX}STORE__PATH`]: text }))).toEqual(
      anError(1, `the store ${text} cannot`),
    );
  });

  it('says which kubeconfig cannot be read', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const list = { ...store(), [`${PREFIX}CLUSTER__LIST`]: 'true', [`${PREFIX}CLUSTER__KUBECONFIG`]: kubeconfig };
    expect(said(await command(['run'], list))).toEqual(anError(1, kubeconfig, 'cluster.list: false'));
    writeFileSync(kubeconfig, '{{{');
    expect(said(await command(['run'], list))).toEqual(
      anError(1, 'the Kubernetes configuration cannot be read', 'KUBECONFIG'),
    );
    const nowhere = { ...store(), [`${PREFIX}CLUSTER__LIST`]: 'true', HOME: folder };
    expect(said(await command(['run'], nowhere))).toEqual(anError(1, 'there is no Kubernetes configuration'));
  });

  it('says which port is taken, for OTLP, the page and record', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as { port: number }).port);
    const taken = `127.0.0.1:${port}: listen EADDRINUSE`;
    expect(said(await command(['run'], { ...store(), [`${PREFIX}OTLP__PORT`]: port }))).toEqual(
      anError(1, taken, 'otlp.port'),
    );
    expect(said(await command(['run'], { ...store(), [`${PREFIX}WEB__PORT`]: port }))).toEqual(
      anError(1, taken, 'web.port'),
    );
    const file = join(folder, 'stream.gz');
    expect(said(await command(['record', file, '--listen', `127.0.0.1:${port}`]))).toEqual(
      anError(1, taken, '--listen'),
    );
    expect(() => statSync(file)).toThrow('ENOENT');
    server.close();
  });
});

describe('configuration', () => {
  const SECRET = 'an-api-key-0123456789';

  it('that is wrong is reported with path, value and what is allowed, without secrets', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(
      file,
      `otlp: {port: 70000}\nlog: {level: loud}\ncronitor: {default: {apiKey: ${SECRET}, apikeyFile: x}}\nfirstSight: {lookback: soon}\n`,
    );
    for (const name of ['check', 'run']) {
      const ended = await command([name, '--config', file]);
      expect(said(ended)).toEqual(
        anError(1, 'otlp.port: 70000; allowed: a whole number', 'log.level: "loud"; allowed: debug, info'),
      );
      expect(said(ended)).toEqual(
        anError(1, 'firstSight.lookback: "soon"; allowed: a duration', 'did you mean apiKeyFile', file),
      );
      expect(ended.stdout + ended.stderr).not.toContain(SECRET);
    }
  });

  it('is printed as it is in effect, with secrets redacted, and can be read back', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, `cluster: {name: eu, list: false}\ncronitor: {default: {apiKey: ${SECRET}}}\n`);
    const args = ['run', '--print-config', '--config'];
    const first = await command([...args, file], { [`${PREFIX}OTLP__PORT`]: '4444' });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('name: eu');
    expect(first.stdout).toContain('port: 4444');
    expect(first.stdout).toContain('apiKey: <redacted>');
    expect(first.stdout).not.toContain(SECRET);
    const again = join(folder, 'again.yaml');
    writeFileSync(again, first.stdout.replace('<redacted>', SECRET));
    expect((await command([...args, again])).stdout).toBe(first.stdout);
  });

  it('that is good, but whose vendor is away, fails the check with what to do', async () => {
    const env = {
      [`${PREFIX}STORE__PATH`]: join(folder, 'bridge.db'),
      [`${PREFIX}CLUSTER__LIST`]: 'false',
      [`${PREFIX}OTLP__PORT`]: '0',
      [`${PREFIX}WEB__PORT`]: '0',
      [`${PREFIX}CRONITOR__DEFAULT__API_KEY`]: SECRET,
      [`${PREFIX}CRONITOR__DEFAULT__API_URL`]: 'http://127.0.0.1:1',
      [`${PREFIX}CRONITOR__DEFAULT__PING_URL`]: 'http://127.0.0.1:1',
    };
    const { code, stdout, stderr } = await command(['check'], env);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/✓ {2}configuration +valid, 1 destination/);
    expect(stdout).toMatch(/✗ {2}cronitor\/default +apiUrl: 127\.0\.0\.1:1 does not answer.*\n +→ Check apiUrl/);
    expect(stdout).toMatch(/✗ {2}cronitor\/default +pingUrl: 127\.0\.0\.1:1 does not answer.*\n +→ Check pingUrl/);
    expect(stdout).toContain('2 of 7 checks failed.');
  });
});
