import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const PAGES = globSync(['*.md', 'docs/*.md', 'collector-config/*.md', 'charts/*/*.md', 'subcharts/*/*.md'], {
  cwd: root,
});

/** The name that GitHub gives a heading. */
function anchor(heading: string): string {
  const plain = heading.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '');
  return plain.trim().toLowerCase().replaceAll(/\s/g, '-');
}

function anchors(file: string): string[] {
  const text = read(file).replaceAll(/```[^]*?```/g, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading));
}

/** Links that lead to no file, or to no heading of one. */
function broken(page: string): string[] {
  const text = read(page).replaceAll(/```[^]*?```/g, '');
  return [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [path = '', heading] = link.split('#');
    const file = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, file))) return [link];
    return heading === undefined || anchors(file).includes(heading) ? [] : [link];
  });
}

describe('the documentation', () => {
  it.each(PAGES)('%s has no link that leads nowhere', (page) => expect(broken(page)).toEqual([]));

  it.each(['docs/architecture.md', 'CONTRIBUTING.md'])('%s names files that exist', (page) => {
    const named = [...read(page).matchAll(/`((?:bridge|scripts|charts|subcharts|test)\/[^`*\s…]+)`/g)].map(
      ([, file = '']) => file,
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('has every page in its index', () => {
    const index = read('docs/README.md');
    const pages = globSync('*.md', { cwd: join(root, 'docs') }).filter((page) => page !== 'README.md');
    expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
  });
});

describe('the README', () => {
  const lines = (text: string): string[] => text.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());

  it('shows lines that explain prints, which a test of docs/explain.md proves', () => {
    const shown = /<!-- explain -->\n\n```text\n([^]*?)\n```/.exec(read('README.md'))?.[1] ?? '';
    expect(lines(shown)).toHaveLength(6);
    expect(lines(read('docs/explain.md'))).toEqual(expect.arrayContaining(lines(shown)));
  });

  it('has three rows of the table of failures', () => {
    const rows = (text: string): string[] => lines(text).filter((line) => /^\| (?!…).* \| .*test\.ts\) \|$/.test(line));
    const whole = rows(read('docs/failures.md').replaceAll('](../', ']('));
    expect(rows(read('README.md'))).toHaveLength(3);
    expect(whole).toEqual(expect.arrayContaining(rows(read('README.md'))));
  });
});
