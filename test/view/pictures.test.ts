/** The pictures of the documentation can be made, and those that it shows are of the sizes that it says. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { makePictures, SUBJECTS } from './pictures.ts';
import { recordedTrace, serve } from './view.testing.ts';

/** An empty window compresses to a few kilobytes. */
const LEAST_BYTES = 30_000;

test('pictures can be made in both themes and sizes', { skip: noChromium }, async () => {
  const folder = scratch();
  const server = await serve(await recordedTrace(folder));
  const browser = await launchChromium();
  try {
    const names = await makePictures(
      browser,
      { teardown: server, guest: server, both: server },
      folder,
      SUBJECTS.slice(0, 1),
    );
    assert.deepEqual(names.sort(), [
      'overview-dark-1280.png',
      'overview-dark-2560.png',
      'overview-light-1280.png',
      'overview-light-2560.png',
    ]);
    for (const name of names) checkPicture(join(folder, name));
  } finally {
    await browser.close();
    await server.close();
  }
});

test('every subject has its committed pictures', () => {
  const folder = join(import.meta.dirname, '../../docs/pictures');
  const wanted = SUBJECTS.flatMap(({ name, sizes }) =>
    sizes.flatMap(({ width }) => [`${name}-dark-${width}.png`, `${name}-light-${width}.png`]),
  );
  const there = readdirSync(folder).filter((name) => name.endsWith('.png'));
  assert.deepEqual(there.sort(), wanted.sort(), 'run: node test/view/pictures.ts');
  for (const name of there) checkPicture(join(folder, name));
});

/** A PNG that is not empty, as wide as its name says. */
function checkPicture(path: string): void {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG', path);
  assert.equal(bytes.readUInt32BE(16), Number(/-(\d+)\.png$/.exec(path)?.[1]), path);
  assert.ok(bytes.length > LEAST_BYTES, `${path}: ${bytes.length} bytes`);
}
