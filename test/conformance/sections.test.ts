/** A scenario for each part of the kernel's side, with everything that is to follow from each of its steps. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { playSection, readSection } from './section.ts';

describe('sections', () => {
  for (const name of readdirSync(join(import.meta.dirname, 'sections')).sort()) {
    const section = readSection(name);
    it(section.title, () => {
      assert.ok(section.title !== '' && section.source !== '' && section.steps.length > 0, name);
      const { found, divergences } = playSection(section);
      assert.deepEqual(found, section.expected);
      assert.deepEqual(divergences, []);
    });
  }
});
