import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventKind } from '../trace/event.ts';
import { RULES } from './catalogue.ts';
import { rulesMarkdown } from './docs.ts';
import type { Watch } from './rule.ts';

test('docs/rules.md says what the rules say (npm run docs)', () => {
  const page = join(import.meta.dirname, '../../docs/rules.md');
  assert.equal(readFileSync(page, 'utf8'), rulesMarkdown(RULES));
});

test('every rule says what it means, what is legal and where the property stands', () => {
  for (const rule of RULES) {
    assert.match(rule.id, /^R\d\d$/);
    assert.ok(rule.meaning.length > 100 && rule.silent.length >= 3 && rule.source.length > 10, rule.id);
    assert.ok(
      rule.needs.every((needed) => rule.watches.some((watch) => kindOf(watch) === needed)),
      `${rule.id} needs what it does not watch`,
    );
  }
});

function kindOf(watch: Watch): EventKind {
  return typeof watch === 'string' ? watch : watch.kind;
}
