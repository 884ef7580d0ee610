import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const ENGINE = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ENGINE, '../docs/engine.md'), 'utf8');
const RULE = /(?:TLFS|TLFS2013|HDR|SDM|KVM|OpenVMM|Linux|choice|profile)\.[a-z0-9-]+(?:\.[a-z0-9-]+)*/;

function files(...folders: string[]): { readonly name: string; readonly text: string }[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ENGINE, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ name, text: readFileSync(join(ENGINE, folder, name), 'utf8') })),
  );
}

const code = files('hypervisor', 'drivers');
const tests = code.filter(({ name }) => name.endsWith('.test.ts'));

/** Ids that the code can answer with: they stand there as whole strings. */
function idsInCode(): Set<string> {
  const ids = new Set<string>();
  for (const { name, text } of code) {
    if (name.endsWith('.test.ts') || name.endsWith('.testing.ts')) continue;
    for (const [, id = ''] of text.matchAll(new RegExp(`'(${RULE.source})'`, 'g'))) ids.add(id);
  }
  return ids;
}

it('docs/engine.md lists every rule of the code, and no other', () => {
  const listed = new Set([...PAGE.matchAll(new RegExp(`\`(${RULE.source})\``, 'g'))].map(([, id]) => id));
  const ids = idsInCode();
  assert.deepEqual([...ids].filter((id) => !listed.has(id)).sort(), [], 'not on the page');
  assert.deepEqual([...listed].filter((id) => !ids.has(id ?? '')).sort(), [], 'not in the code');
});

it('docs/engine.md names tests that exist', () => {
  const named = [...PAGE.matchAll(/([a-z-]+\.test\.ts): ([^|\n;.]+)/g)];
  assert.ok(named.length > 60);
  for (const [, file = '', what = ''] of named) {
    const part = what.trim();
    const found = tests.some(({ name, text }) => name.endsWith(file) && text.includes(part));
    assert.ok(found, `${file}: ${part}`);
  }
});
