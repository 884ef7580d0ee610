/** The engine is deterministic: the same journal hash here, in Chromium, and as long as its version stays the same. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { noChromium } from '../chromium.testing.ts';
import { callInChromium } from '../page-module.testing.ts';
import { hashes } from './hashes.ts';
import { isExplained, readTable, scenarios } from './table.ts';

const HOW = 'raise ENGINE_VERSION, say why in docs/engine-changes.md, and run npm run hashes';

test('the hashes of the table', () => {
  const { engine, hashes: expected } = readTable();
  assert.equal(engine, ENGINE_VERSION, HOW);
  assert.ok(isExplained(), HOW);
  assert.deepEqual(hashes(scenarios()), expected, HOW);
});

test('the same in Chromium', { skip: noChromium }, async () => {
  const path = join(import.meta.dirname, 'hashes.ts');
  const found = await callInChromium(path, 'hashes', [scenarios()]);
  assert.deepEqual(found, [readTable().hashes]);
});
