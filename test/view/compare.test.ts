/** What the page shows is what the command line prints: for events, cells and findings picked by a seed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { parseTime } from '../../engine/trace/time.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { exits, json } from '../cli/hvrewind.testing.ts';
import {
  closeAll,
  derivedTrace,
  goTo,
  openView,
  pick,
  randomFrom,
  recordedTrace,
  type Server,
  serve,
  type View,
} from './view.testing.ts';

const SEED = Number(process.env.HVREWIND_SEED ?? Date.now() % 1_000_000);
/** Positions that are looked at, of each trace. */
const EVENTS = 6;
const STATES = 2;
const CELLS = 5;

/** Members of a line of `show --json` that are compared. */
interface Line {
  readonly t: string;
  readonly seq?: number;
  readonly position?: string;
  readonly kind: string;
  readonly component?: string;
  readonly provenance?: string;
  readonly dir?: string;
  readonly msr?: string;
  readonly code?: string;
  readonly op?: string;
  readonly what?: string;
}

interface Cell {
  readonly path: string;
  readonly value: string | null;
  readonly type: string;
  readonly writer?: { readonly at: string; readonly component: string };
}

interface Finding {
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  readonly culprit: { readonly at: string; readonly component: string };
  readonly evidence: readonly string[];
  readonly cells: readonly string[];
  readonly fix: string;
}

const positionOf = ({ seq, position }: Line): string => position ?? String(seq);

describe(`the page beside the command line, seed ${SEED}`, { skip: noChromium, concurrency: true }, () => {
  const folder = scratch();
  const random = randomFrom(SEED);
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const [name, make] of [
    ['recorded', recordedTrace],
    ['derived', derivedTrace],
  ] as const) {
    describe(`${name} events`, { concurrency: false }, () => {
      let file: string;
      let server: Server;
      let view: View;
      let lines: Line[];
      before(async () => {
        file = await make(folder);
        lines = (await exits(0, ['show', file, '--derived', '--json']))
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Line);
        server = await serve(file);
        view = await openView(browser, server, { link: 'panel=event' });
      });
      after(() => closeAll(view, server));

      test('the list has as many events, with a filter too', async () => {
        const filters = [
          '',
          'component == mshv',
          'msr ~ "SIMP|SIEFP"',
          'fault || kind == lifecycle',
          'cpu == 1',
        ];
        for (const filter of pick(filters, 3, random)) {
          const printed = await exits(0, [
            'show',
            file,
            ...(filter === '' ? [] : [filter]),
            '--derived',
            '--json',
          ]);
          await setFilter(view.page, filter);
          const count = printed.split('\n').length - 1;
          await view.page.locator('.count', { hasText: new RegExp(`^${count} event`) }).waitFor();
        }
        await setFilter(view.page, '');
      });

      test('an event in the list and in full', async () => {
        for (const line of pick(lines, EVENTS, random)) {
          const at = positionOf(line);
          await goTo(view, at);
          const row = view.page.locator(`#panel-events .rows [data-at="${at}"]`);
          await row.waitFor();
          assert.equal(await row.getAttribute('data-cursor'), 'true', at);
          const cell = (column: number) => row.locator(`[aria-colindex="${column}"]`);
          const seconds = ((await cell(2).textContent()) ?? '').replaceAll('\u2009', '');
          assert.equal(parseTime(`${seconds}s`), parseTime(line.t), at);
          const kind = await cell(3).locator('svg').getAttribute('aria-label');
          assert.equal(kind, line.provenance === 'derived' ? `${line.kind}, derived` : line.kind, at);
          assert.equal(
            (await cell(4).locator('.owner span').allTextContents()).join(''),
            line.component ?? '',
            at,
          );
          const operation = await cell(6).locator('[title]').getAttribute('title');
          for (const word of wordsOf(line)) assert.ok(operation?.includes(word), `${at}: ${operation}`);
          const text = (await view.page.locator('.event-text').textContent()) ?? '';
          assert.deepEqual(bare(JSON.parse(text)), bare(line), at);
          assert.deepEqual(await staleSigns(view.page), [], at);
        }
      });

      test('the state, in the matrix and in the tree', async () => {
        await view.page.keyboard.press('6');
        await view.page.getByLabel('all registers').check();
        await view.page.keyboard.press('3');
        for (const line of pick(lines, STATES, random)) {
          const at = positionOf(line);
          await goTo(view, at);
          const { cells } = await json<{ cells: Cell[] }>(0, ['state', file, '--at', at, '--who']);
          await compareMatrix(view.page, cells, at);
          for (const cell of pick(cells, CELLS, random)) await compareCell(view.page, cell, at);
        }
      });

      test('findings with their proof', async () => {
        const { findings } = await json<{ findings: Finding[] }>(1, ['check', file]);
        await view.page.keyboard.press('5');
        assert.ok(findings.length > 0);
        await view.page.locator('.finding').first().waitFor();
        assert.equal(await view.page.locator('.finding').count(), findings.length);
        for (const finding of findings) await compareFinding(view.page, finding);
      });
    });
  }
});

async function setFilter(page: Page, filter: string): Promise<void> {
  const box = page.getByLabel('Filter of events');
  await box.fill(filter);
  await box.press('Enter');
  await box.press('Escape');
}

/** Rows whose sign does not look as it says: hollow for what was derived. Styles once went stale on moved rows. */
function staleSigns(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('#panel-events .rows [data-at]')]
      .filter((row) => {
        const shape = row.querySelector('.glyph path');
        const hollow = row.querySelector('.glyph')?.getAttribute('aria-label')?.endsWith('derived');
        return shape === null || (getComputedStyle(shape).fill === 'none') !== hollow;
      })
      .map((row) => row.dataset.at ?? ''),
  );
}

/** Words that the name of what happened must have. */
function wordsOf({ dir, msr, code, op, what }: Line): string[] {
  const access = dir === undefined ? [] : [dir === 'read' ? 'R ' : 'W '];
  return [...access, ...[msr, code, op, what].filter((word) => word !== undefined)];
}

/** A line of event text without its place in a file, which the page shows beside it. */
function bare(line: object): object {
  const { position: _position, seq: _seq, parent: _parent, ...rest } = line as Record<string, unknown>;
  return rest;
}

async function compareMatrix(page: Page, cells: readonly Cell[], at: string): Promise<void> {
  const wanted = cells
    .filter(({ path, type }) => /^cpu\[\d+\]\.synic\./.test(path) && type.startsWith('msr '))
    .map(({ path, value, writer }) => [
      path,
      value ?? '?',
      writer === undefined ? 'reset' : `${writer.component} @${writer.at}`,
      writer?.at === at,
    ]);
  const shown = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.matrix-cell')].map((cell) => [
      cell.dataset.path,
      cell.dataset.copy,
      cell.querySelector('.matrix-writer')?.lastChild?.textContent,
      cell.dataset.changed === 'true',
    ]),
  );
  const byPath = (a: readonly unknown[], b: readonly unknown[]): number =>
    String(a[0]) < String(b[0]) ? -1 : 1;
  assert.deepEqual(shown.sort(byPath), wanted.sort(byPath), at);
}

async function compareCell(page: Page, cell: Cell, at: string): Promise<void> {
  const filter = page.getByLabel('Filter of cells by path');
  await filter.fill(cell.path);
  await filter.press('Escape');
  const row = page.locator(`.state .rows-area [data-path="${cell.path}"]`);
  await row.waitFor();
  assert.equal(await row.locator('[role=gridcell]').nth(1).textContent(), cell.value ?? '?', cell.path);
  const writer = (await row.locator('.cell-writer').textContent())?.trim() ?? '';
  const { writer: wanted } = cell;
  if (wanted === undefined) assert.equal(writer, '', cell.path);
  else {
    assert.ok(writer.includes(wanted.component), `${cell.path}: ${writer}`);
    assert.equal(await row.locator('.position').textContent(), wanted.at, cell.path);
  }
  assert.equal(await row.getAttribute('data-changed'), String(wanted?.at === at), cell.path);
}

async function compareFinding(page: Page, finding: Finding): Promise<void> {
  const card = page.locator(`.finding[data-id="${finding.id}"]`);
  await card.locator('.show-me').click();
  assert.equal(await card.getAttribute('data-severity'), finding.severity);
  assert.equal(await card.locator('h3').textContent(), finding.title);
  assert.equal(await card.locator('header .position').textContent(), finding.culprit.at);
  assert.equal(await card.locator('header .owner span').textContent(), finding.culprit.component);
  assert.ok((await card.locator('.fix').textContent())?.includes(finding.fix));
  const proof = await card
    .locator('.lines [data-at]')
    .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.at));
  assert.deepEqual(proof, finding.evidence);
  assert.deepEqual(await card.locator('.cells .path').allTextContents(), finding.cells);
  assert.equal(await page.locator('.cursor-place b').textContent(), finding.culprit.at);
}
