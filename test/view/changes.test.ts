/** Why, and what if, by keyboard alone, beside what the command line says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { json } from '../cli/hvrewind.testing.ts';
import { violations } from './axe.testing.ts';
import { closeAll, openView, recordedTrace, type Server, serve, settled, type View } from './view.testing.ts';

interface Blame {
  readonly links: readonly { readonly at: string; readonly why: string }[];
}

interface WhatIf {
  readonly findings: { readonly after: readonly unknown[] };
  readonly answers: readonly { readonly at: string; readonly after: string | null }[];
}

describe('why and what if', { skip: noChromium }, () => {
  const folder = scratch();
  let browser: Browser;
  let server: Server;
  let view: View;
  let page: Page;
  let file: string;
  before(async () => {
    [browser, file] = await Promise.all([launchChromium(), recordedTrace(folder)]);
    server = await serve(file);
    view = await openView(browser, server, { link: 'at=93&panel=event' });
    page = view.page;
    await settled(page, '93');
  });
  after(() => closeAll(view, server, browser));

  const hash = (): string => decodeURIComponent(new URL(page.url()).hash);

  test('Shift+B asks why the event at the cursor got its answer, and shows what blame says', async () => {
    await page.locator('#panel-events [data-focus="main"]').first().focus();
    await page.keyboard.press('Shift+B');
    await page.waitForSelector('.why[data-of="93.fault"]');
    const shown = await page
      .locator('.why-link')
      .evaluateAll((items) =>
        items.map((item) => [
          item.getAttribute('data-why'),
          item.querySelector('[data-at]')?.getAttribute('data-at'),
        ]),
      );
    const { links } = await json<Blame>(0, ['blame', file, '93.fault']);
    assert.deepEqual(
      shown,
      links.map(({ why, at }) => [why, at]),
    );
    await page.waitForFunction(() => window.location.hash.includes('why=93.fault'));
    assert.deepEqual(await violations(page, '#panel-why'), []);
  });

  test('an event is picked up, put after another, and what comes of it stands beside what came of it', async () => {
    const focusList = (): Promise<void> => page.locator('#panel-events [data-focus="main"]').first().focus();
    const go = async (at: string): Promise<void> => {
      await page.evaluate((to) => {
        window.location.hash = `at=${to}&panel=whatif`;
      }, at);
      await settled(page, at);
      await focusList();
    };
    await go('62');
    await page.keyboard.press('m');
    await go('88');
    await page.keyboard.press('m');
    await page.waitForSelector('section[aria-label="findings with the edits"] .verdict-ok');
    assert.match(hash(), /edits=move\+62\+after\+88/);
    const { findings, answers } = await json<WhatIf>(0, ['whatif', file, '--edit', 'move 62 after 88']);
    assert.equal(findings.after.length, 0);
    const rows = page.locator('section[aria-label="answers that are other ones"] tr');
    assert.equal(await rows.count(), answers.length);
    const told = await rows.evaluateAll((items) => items.map((item) => item.lastElementChild?.textContent));
    assert.deepEqual(
      told,
      answers.map(({ after: now }) => `→ ${now ?? 'does not happen'}`),
    );
    assert.deepEqual(await violations(page, '#panel-whatif'), []);
  });

  test('Delete drops the event, Backspace takes the edit back', async () => {
    await page.locator('#panel-events [data-focus="main"]').first().focus();
    await page.keyboard.press('Delete');
    await page.waitForFunction(() => document.querySelectorAll('.edits li').length === 2);
    assert.match(await page.locator('.edits').innerText(), /drop 88/);
    await page.keyboard.press('Backspace');
    await page.waitForFunction(() => document.querySelectorAll('.edits li').length === 1);
  });

  test('a finding says what would remove it', async () => {
    await page.keyboard.press('5');
    await page.locator('button.suggest').first().click();
    await page.waitForSelector('section[aria-label="findings with the edits"] .verdict-ok');
    assert.match(await page.locator('.edits').innerText(), /^move [0-9]+ (before|after) [0-9]+/);
  });
});
