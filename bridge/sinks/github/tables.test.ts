import { describe, expect, it } from 'vitest';
import { annotationProblems, metadataOf, PREFIX } from './annotations.ts';
import { baseUrl } from './base-url.ts';
import { githubSchema } from './config.ts';
import { digestOf, nameAndTag } from './image.ts';
import { DEFAULT_TEMPLATE, isTemplate, render } from './template.ts';
import { rankOf, sinceOf } from './rank.ts';

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const DIGEST = `sha256:${HEX}`;

describe('a template', () => {
  it.each([
    '{{namespace}}',
    '{{deploymentName}}',
    '{{containerName}}',
    '{{namespace}}/{{deploymentName}}/{{containerName}}',
    '{{namespace}}-{{deploymentName}}',
    'prefix-{{namespace}}-suffix',
    'org/{{namespace}}/env/{{deploymentName}}/container/{{containerName}}',
  ])('may be %s', (text) => {
    expect(isTemplate(text)).toBe(true);
  });

  it.each([
    '',
    '   ',
    'static-deployment-name',
    '{{namespaces}}',
    '{{namespace',
    'namespace}}',
    '{{Namespace}}',
    '{{ namespace }}',
  ])('may not be %j: it has no placeholder', (text) => {
    expect(isTemplate(text)).toBe(false);
  });

  it('is filled in wherever a placeholder stands; what else is in braces stays', () => {
    const named = { namespace: '$&', deploymentName: 'web', containerName: 'app' };
    expect(render(`${DEFAULT_TEMPLATE}/{{namespace}}/{{other}}`, named)).toBe('$&/web/app/$&/{{other}}');
  });
});

describe('the digest of an image', () => {
  it.each([
    `docker-pullable://ghcr.io/github/deployment-tracker@${DIGEST}`,
    `docker.io/library/nginx@${DIGEST}`,
    `localhost:5000/myapp@${DIGEST}`,
    `nginx@${DIGEST}`,
  ])('is read of %s', (imageId) => {
    expect(digestOf(imageId, undefined)).toEqual({ digest: DIGEST });
  });

  it.each([
    'docker-pullable://nginx@sha256:abc123def456',
    'docker://sha256:abc123def456789',
    `docker://${DIGEST}`,
    DIGEST,
    'some-random-id-without-sha',
    'sha256:',
    'nginx@sha256:',
    'ghcr.io/o/i@sha512:abcd',
    'SHA256:abc',
    `a@${DIGEST},${DIGEST}`,
    `a@${DIGEST}@${DIGEST}`,
    `x@sha256:${HEX.toUpperCase()}`,
    `@${DIGEST}`,
  ])('is none of a registry in %s', (imageId) => {
    expect(digestOf(imageId, 'nginx:1')).toEqual({ unusable: imageId });
  });

  it('is the one that the spec pins where the node gives none of a registry', () => {
    expect(digestOf(`docker://${DIGEST}`, `acme/app:1@${DIGEST}`)).toEqual({ digest: DIGEST });
    expect(digestOf('', `acme/app:1@${DIGEST}`)).toEqual({ missing: true });
    expect(digestOf(undefined, undefined)).toEqual({ missing: true });
  });
});

describe('name and tag of an image', () => {
  it.each([
    ['nginx:1.21', 'nginx', '1.21'],
    ['nginx', 'nginx', ''],
    ['', '', ''],
    ['nginx@sha256:abc123def456', 'nginx', ''],
    ['nginx:1.21@sha256:abc123def456', 'nginx', '1.21'],
    ['localhost:5000/myapp:v1.0', 'localhost:5000/myapp', 'v1.0'],
    ['localhost:5000/myapp@sha256:abc123', 'localhost:5000/myapp', ''],
    ['localhost:5000/myapp', 'localhost:5000/myapp', ''],
    [
      '123456789.dkr.ecr.us-east-1.amazonaws.com/my-app:latest',
      '123456789.dkr.ecr.us-east-1.amazonaws.com/my-app',
      'latest',
    ],
    ['nginx:', 'nginx', ''],
    ['localhost:5000', 'localhost', '5000'],
    ['@sha256:abc', '', ''],
    ['a/b:c:d', 'a/b:c', 'd'],
    ['nginx:1.2/foo', 'nginx:1.2/foo', ''],
  ])('of %j are %j and %j', (image, name, tag) => {
    expect(nameAndTag(image)).toEqual({ name, tag });
  });
});

let number = 0;
const object = (annotations: Record<string, string>) => ({
  uid: `o${number++}`,
  annotations: Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key.includes('/') ? key : PREFIX + key, value]),
  ),
});
const risks = (text: string) => metadataOf([object({ 'runtime-risks': text })]).risks;

describe('what annotations say', () => {
  it('risks are known ones, in any case and with spaces around them', () => {
    expect(risks('critical-resource ')).toEqual(['critical-resource']);
    expect(risks('Sensitive-Data, internet-exposed,internet-exposed')).toEqual(['internet-exposed', 'sensitive-data']);
    expect(risks('critical-resource,not-a-risk')).toEqual(['critical-resource']);
    expect([...risks(''), ...risks('unknown-risk')]).toEqual([]);
  });

  it('tags are all others below the prefix: five, by their names, none of them longer than 100 characters', () => {
    const tags = (annotations: Record<string, string>) => metadataOf([object(annotations)]).tags;
    expect(tags({ team: 'platform', env: 'prod', 'runtime-risks': 'x', 'app.kubernetes.io/name': 'web' })).toEqual({
      team: 'platform',
      env: 'prod',
    });
    const six = Object.fromEntries([6, 5, 4, 3, 2, 1].map((one) => [`tag${one}`, String(one)]));
    expect(Object.keys(tags(six))).toEqual(['tag1', 'tag2', 'tag3', 'tag4', 'tag5']);
    expect(tags({ ['k'.repeat(101)]: 'x', long: 'v'.repeat(101), good: '' })).toEqual({ good: '' });
    expect(tags({ '': 'value', emoji: '🚀'.repeat(100) })).toEqual({ emoji: '🚀'.repeat(100) });
  });

  it('the nearest object counts for a tag, and fills the five places first; risks of all add up', () => {
    const pod = object({ team: 'from-pod', 'runtime-risks': 'critical-resource' });
    const set = object({ team: 'from-rs', org: 'engineering', 'runtime-risks': 'critical-resource,internet-exposed' });
    const six = object({ a1: '1', a2: '2', a3: '3', a4: '4', 'runtime-risks': 'sensitive-data' });
    expect(metadataOf([pod, set, six, set])).toMatchObject({
      tags: { team: 'from-pod', org: 'engineering', a1: '1', a2: '2', a3: '3' },
      risks: ['critical-resource', 'internet-exposed', 'sensitive-data'],
    });
  });

  it('what is left out is a problem with what counts instead', () => {
    const six = Object.fromEntries([1, 2, 3, 4, 5, 6].map((one) => [`tag${one}`, 'x']));
    const problems = annotationProblems(
      object({ ...six, long: 'v'.repeat(101), 'runtime-risks': 'critical-resource,nope' }),
    );
    expect(problems.map(({ annotation, used }) => [annotation.slice(PREFIX.length), used])).toEqual([
      ['tag6', 'the first five by their names'],
      ['long', 'no such tag'],
      ['runtime-risks', 'critical-resource'],
    ]);
  });
});

describe('settings', () => {
  const parse = (more: object) =>
    githubSchema.safeParse({ org: 'acme', credential: 't', cluster: 'c', logicalEnvironment: 'p', ...more });
  const isAllowed = (more: object): boolean => parse(more).success;

  it.each([
    ['https://api.github.com', 'https://api.github.com'],
    ['api.github.com', 'https://api.github.com'],
    ['https://api.acme.ghe.com/', 'https://api.acme.ghe.com'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://127.0.0.1:9090', 'http://127.0.0.1:9090'],
    ['http://echo.ns.svc.cluster.local:8080', 'http://echo.ns.svc.cluster.local:8080'],
    ['http://api.github.com', undefined],
    ['http://192.168.1.1:8080', undefined],
    ['http://localhost.evil.example', undefined],
    ['http://evil/?x=.svc.cluster.local', undefined],
    ['https://user:pw@api.github.com', undefined],
  ])('the base URL %s is %s', (text, url) => {
    expect(baseUrl(text)).toBe(url);
  });

  it('an organisation has letters, digits, - and _', () => {
    for (const org of ['my-org-name', 'my_org_name', 'MyOrg123', 'a', '1']) expect(isAllowed({ org })).toBe(true);
    for (const org of ['', 'my org', 'my-org/../other', 'my@org!', 'has.dot', String.raw`has\x`])
      expect(isAllowed({ org })).toBe(false);
  });

  it('a cluster is a part of a path, an environment at most 128 characters', () => {
    for (const cluster of ['prod-1.eu_west', 'a']) expect(isAllowed({ cluster })).toBe(true);
    for (const cluster of ['a/b', '', '..', 'ä', 'x'.repeat(129)]) expect(isAllowed({ cluster })).toBe(false);
    expect([isAllowed({ logicalEnvironment: '' }), isAllowed({ logicalEnvironment: 'x'.repeat(129) })]).toEqual([
      false,
      false,
    ]);
  });

  it('one credential: a token, or with an App its key', () => {
    expect(isAllowed({ credentialFile: '/token' })).toBe(false);
    expect(isAllowed({ credential: '<token>' })).toBe(false);
    expect(isAllowed({ app: { id: 1, installationId: 2 } })).toBe(false);
    expect(isAllowed({ app: { id: 1, installationId: 2 }, credential: undefined, credentialFile: '/key.pem' })).toBe(
      true,
    );
    const routes = [{ namespaces: ['a'], org: 'other' }];
    expect(isAllowed({ routes })).toBe(true);
    expect(isAllowed({ routes, app: { id: 1, installationId: 2 }, credential: undefined, credentialFile: '/k' })).toBe(
      false,
    );
    expect(isAllowed({ routes: [{ namespaces: ['a'] }] })).toBe(false);
  });
});

it('a rank puts what runs first, and gives back its time', () => {
  const times = [0, 1, 1_767_607_200_000, 253_402_300_799_000];
  for (const isRunning of [true, false])
    for (const time of times) expect(sinceOf(rankOf(isRunning, time)) + 0).toBe(time);
  expect(rankOf(true, 0)).toBeLessThan(rankOf(false, times[3]!));
  expect(rankOf(true, times[2]!)).toBeLessThan(rankOf(true, times[1]!));
});
