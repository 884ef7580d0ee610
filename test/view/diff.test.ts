/** Two traces side by side, and a trace beside its edits, by keyboard alone and beside what the command line says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { json } from '../cli/hvrewind.testing.ts';
import { violations } from './axe.testing.ts';
import {
  closeAll,
  mendedTrace,
  openView,
  recordedTrace,
  type Server,
  serve,
  settled,
  type View,
} from './view.testing.ts';

interface Told {
  readonly first: { readonly a: string; readonly b: string; readonly fields: readonly object[] };
  readonly state: readonly { readonly path: string; readonly a: string; readonly b: string }[];
  readonly aligned: number;
  readonly onlyA: number;
  readonly onlyB: number;
}

describe('diff', { skip: noChromium }, () => {
  const folder = scratch();
  let browser: Browser;
  let server: Server;
  let view: View;
  let page: Page;
  let files: readonly string[];
  before(async () => {
    [browser, files] = await Promise.all([
      launchChromium(),
      Promise.all([recordedTrace(folder), mendedTrace(folder)]),
    ]);
    server = await serve(...files);
    view = await openView(browser, server, { link: 'at=1' });
    page = view.page;
  });
  after(() => closeAll(view, server, browser));

  const row = (): Promise<string | null> =>
    page.locator('#panel-diff .row[data-cursor="true"]').getAttribute('data-row');
  const hash = (): string => decodeURIComponent(new URL(page.url()).hash);
  const detailOf = (at: string): Promise<unknown> => page.waitForSelector(`.diff-detail [data-row="${at}"]`);
  const cells = (): Promise<string[][]> =>
    page
      .locator('section[aria-label="cells that differ there"] tbody tr')
      .evaluateAll((rows) =>
        rows.map((each) => [...each.children].map((cell) => (cell as HTMLElement).innerText.trim())),
      );

  test('f shows both, Shift+F the first difference, and it is the one that diff tells', async () => {
    const told = await json<Told>(1, ['diff', files[0] as string, files[1] as string]);
    await page.keyboard.press('f');
    await page.waitForSelector('.diff[data-against="trace"]');
    await page.keyboard.press('Shift+F');
    await settled(page, told.first.a);
    const shown = page.locator('#panel-diff .row[data-first="true"]');
    await shown.waitFor();
    assert.equal(await shown.getAttribute('data-sign'), 'changed');
    assert.deepEqual(await shown.locator('.at').allInnerTexts(), [told.first.a, told.first.b]);
    await detailOf((await row()) ?? '');
    assert.deepEqual(
      await cells(),
      told.state.map(({ path, a, b }) => [path, a, b]),
    );
    const counts = await page.locator('.diff-summary p').first().locator('b').allInnerTexts();
    const [same, changed, onlyA, onlyB, moved] = counts.map(Number);
    assert.deepEqual(
      [(same ?? 0) + (changed ?? 0) + (moved ?? 0), onlyA, onlyB],
      [told.aligned, told.onlyA, told.onlyB],
    );
  });

  test('n and Shift+N go from difference to difference and take the cursor along; elsewhere n shows findings', async () => {
    const number = page.locator('#panel-diff .count');
    assert.match(await number.innerText(), /^1 of /);
    const first = await row();
    await page.keyboard.press('n');
    await page.waitForFunction(() =>
      document.querySelector('#panel-diff .count')?.textContent?.startsWith('2 of'),
    );
    const second = await row();
    assert.ok(Number(second) > Number(first));
    await page.keyboard.press('Shift+N');
    await page.waitForFunction(() =>
      document.querySelector('#panel-diff .count')?.textContent?.startsWith('1 of'),
    );
    assert.equal(await row(), first);
    assert.equal(await page.locator('.cursor-place b').innerText(), '6');
    await page.keyboard.press('ArrowDown');
    await settled(page, '7');
  });

  test('the cursor of another view finds its row, and a link finds it again', async () => {
    await page.keyboard.press('g');
    await page.getByLabel('Go to event or time').fill('93');
    await page.keyboard.press('Enter');
    await settled(page, '93');
    await page.waitForSelector('#panel-diff .row[data-cursor="true"][data-at="93"]');
    await page.keyboard.press('n');
    await page.waitForFunction(() => /row=\d+/.test(window.location.hash));
    const here = await row();
    await page.reload();
    await page.waitForSelector(`#panel-diff .row[data-cursor="true"][data-row="${here}"]`);
    assert.match(hash(), /panel=diff/);
  });

  test('o leaves out what is the same; nothing offends axe', async () => {
    await page.locator('#panel-diff [data-focus="main"]').first().focus();
    const all = Number(await page.locator('#panel-diff .rows').getAttribute('aria-rowcount'));
    await page.keyboard.press('o');
    await page.waitForFunction((most) => {
      const rows = document.querySelector('#panel-diff .rows');
      const count = Number(rows?.getAttribute('aria-rowcount'));
      return count > 1 && count < most && rows?.querySelector('[data-row]') !== null;
    }, all);
    await page.keyboard.press('Home');
    await page.waitForSelector('#panel-diff .row[data-folded="true"]');
    await page.waitForFunction(() => window.location.hash.includes('folded=true'));
    assert.deepEqual(await violations(page, '#panel-diff'), []);
    await page.keyboard.press('o');
  });

  test('a puts the trace beside its edits: what was told is marked in both, and the finding is gone', async () => {
    await page.evaluate(() => {
      window.location.hash = 'at=93&panel=diff&edits=move+62+after+88&against=edits';
    });
    await page.waitForSelector('.diff[data-against="edits"] .row[data-at="93"][data-sign="changed"]');
    const changed = page.locator('#panel-diff .row[data-at="93"]');
    assert.deepEqual(await changed.locator('[data-marked="true"]').allInnerTexts(), [
      '✕ 0x300f3 #GP',
      '0x300f3',
    ]);
    assert.match(await page.locator('.diff-summary').innerText(), /only A has the finding R01/);
    assert.deepEqual(await violations(page, '#panel-diff'), []);
    await page.locator('#panel-diff [data-focus="main"]').first().focus();
    await page.keyboard.press('a');
    await page.waitForSelector('.diff[data-against="trace"]');
  });
});
