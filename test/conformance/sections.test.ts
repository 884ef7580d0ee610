/** A scenario for each part of the kernel's side, with everything that is to follow from each of its steps. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { playSection, readSection } from './section.ts';

const UPDATE =
  'if the source says so, node_modules/.bin/node test/conformance/section.ts writes it down as it is now';

describe('sections', () => {
  for (const name of readdirSync(join(import.meta.dirname, 'sections')).sort()) {
    const section = readSection(name);
    it(section.title, () => {
      assert.ok(section.title !== '' && section.source !== '' && section.steps.length > 0, name);
      const { found, divergences } = playSection(section);
      assert.deepEqual(found, section.expected, UPDATE);
      assert.deepEqual(divergences, []);
    });
  }
});
