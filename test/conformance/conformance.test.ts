/** Every row of the tables, played through the engine and replayed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wrongOf } from './row.ts';
import { type Page, pagesOf, type Row } from './table.ts';

/** What is wrong with a row, also where it cannot be read. */
function judged(page: Page, row: Row): string[] {
  try {
    return wrongOf(page, row);
  } catch (error) {
    return [`${page.path}:${row.line}: ${String(error)}`];
  }
}

for (const folder of ['hypercalls', 'ioctls', 'msrs']) {
  describe(folder, () => {
    for (const page of pagesOf(folder)) {
      it(`${page.name}: ${page.rows.length} rows`, () => {
        assert.ok(page.source.length > 0, 'a page names its source');
        assert.ok(page.rows.length > 0);
        const wrong = page.rows.flatMap((row) => judged(page, row));
        assert.ok(wrong.length === 0, `\n${wrong.join('\n')}`);
      });
    }
  });
}
