import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { generatedPages } from './pages/all.ts';

const pages = generatedPages();

test('the generated pages say what the tables say (npm run docs)', () => {
  for (const [path, text] of pages) {
    assert.equal(
      readFileSync(join(import.meta.dirname, path), 'utf8'),
      text,
      `${path} is stale: npm run docs`,
    );
  }
});

test('docs/reference holds nothing else', () => {
  const files = globSync('reference/**/*.md', { cwd: import.meta.dirname });
  assert.deepEqual(files.sort(), [...pages.keys()].filter((path) => path.startsWith('reference/')).sort());
});

test('every link between the pages leads somewhere', () => {
  const headings = new Map<string, Set<string>>();
  for (const [path, text] of pages) {
    const names = [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? '').toLowerCase().replaceAll(' ', '-'),
    );
    headings.set(path, new Set(names));
  }
  let links = 0;
  for (const [path, text] of pages) {
    if (!path.startsWith('reference/')) continue;
    for (const [, file = '', anchor] of text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = file === '' ? path : normalize(join(dirname(path), file));
      assert.ok(headings.has(target), `${path} links to ${target}`);
      if (anchor !== undefined)
        assert.ok(headings.get(target)?.has(anchor.toLowerCase()), `${path}: ${target}#${anchor}`);
      links++;
    }
  }
  assert.ok(links > 500, `${links} links`);
});
