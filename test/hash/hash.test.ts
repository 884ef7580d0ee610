/** The engine is deterministic: the same journal hash here, in Chromium, and as long as its version stays the same. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { type Hashes, hashes } from './hashes.ts';
import { isExplained, readTable, scenarios } from './table.ts';

const HOW = 'raise ENGINE_VERSION, say why in docs/engine-changes.md, and run npm run hashes';

test('the hashes of the table', () => {
  const { engine, hashes: expected } = readTable();
  assert.equal(engine, ENGINE_VERSION, HOW);
  assert.ok(isExplained(), HOW);
  assert.deepEqual(hashes(scenarios()), expected, HOW);
});

test('the same in Chromium', { skip: noChromium }, async () => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'hashes.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'engine',
    target: 'chrome120',
    logLevel: 'silent',
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
    const found = await page.evaluate(
      (given) => (globalThis as unknown as { engine: { hashes(of: object): Hashes } }).engine.hashes(given),
      scenarios(),
    );
    assert.deepEqual(found, readTable().hashes);
  } finally {
    await browser.close();
  }
});
