/** The app while the trace is being replayed, and how it fills itself. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { violations } from './axe.testing.ts';
import { type GatedServer, serveGated } from './gated.testing.ts';
import { closeView, derivedTrace, openView, type View } from './view.testing.ts';

describe('while the trace is being replayed', { skip: noChromium }, () => {
  let browser: Browser;
  /** The tear-down, and a trace that is longer than a window. */
  let server: GatedServer;
  let long: GatedServer;
  before(async () => {
    const folder = scratch();
    [browser, server, long] = await Promise.all([
      launchChromium(),
      derivedTrace(folder).then(serveGated),
      derivedTrace(folder, 'guest').then(serveGated),
    ]);
  });
  after(async () => {
    await browser.close();
    await server.close();
    await long.close();
  });
  beforeEach(() => {
    server.hold();
    long.hold();
  });

  const openHeld = (link = '', of = server): Promise<View> =>
    openView(browser, of, { replaying: true, link, height: of === long ? 620 : 800 });
  const count = async (page: Page): Promise<number> =>
    Number.parseInt((await page.locator('#panel-events .count').textContent()) ?? '', 10);
  const waits = (page: Page, panel: string, percent: number): Promise<void> =>
    page
      .locator(`#panel-${panel} .replaying`, { hasText: `replaying, ${percent} %` })
      .first()
      .waitFor();
  const top = (page: Page, at: string): Promise<number> =>
    page.locator(`#panel-events .rows [data-at="${at}"]`).evaluate((row) => row.getBoundingClientRect().top);

  test('events and timeline are there, and what waits for the replay says how far it is', async () => {
    const view = await openHeld('panel=event&at=4');
    const { page } = view;
    await page.locator('.lane').first().waitFor();
    await page.locator('.detail[data-at="4"] .event-text').waitFor();
    await waits(page, 'event', 0);
    server.goOn(42);
    await waits(page, 'matrix', 42);
    await waits(page, 'event', 42);
    for (const [key, panel] of Object.entries({ 5: 'findings', 6: 'state', 7: 'exits', 8: 'partitions' })) {
      await page.keyboard.press(key);
      await waits(page, panel, 42);
    }
    await page.keyboard.press('9');
    await waits(page, 'memory', 42);
    const bar = page.getByRole('progressbar', { name: 'replay' });
    assert.equal(await bar.getAttribute('value'), '42');
    await page.keyboard.press('n');
    await page.locator('.notice', { hasText: 'not known yet: replaying, 42 %' }).waitFor();
    await closeView(view);
  });

  for (const theme of ['dark', 'light'] as const) {
    test(`axe finds nothing meanwhile in the ${theme} theme`, async () => {
      const view = await openView(browser, server, { replaying: true, theme, link: 'panel=event&at=4' });
      await waits(view.page, 'event', 0);
      assert.deepEqual(await violations(view.page, 'html'), []);
      await closeView(view);
    });
  }

  test('cursor, scroll, filter and zoom stay when derived events come', async () => {
    const view = await openHeld('at=20&range=2..30', long);
    const { page } = view;
    await page.locator('#panel-events .rows [data-at="20"]').waitFor();
    const recorded = await count(page);
    const [cursorPx, zoom] = [await top(page, '20'), 'range=2..30'];
    long.open();
    await page.waitForFunction(
      (before) =>
        Number.parseInt(document.querySelector('#panel-events .count')?.textContent ?? '', 10) > before,
      recorded,
    );
    await page.locator('#panel-events .rows [data-at*="."]').first().waitFor();
    await page.locator('.matrix[data-at="20"]').waitFor();
    assert.equal(await top(page, '20'), cursorPx, 'the row of the cursor stands where it stood');
    assert.equal(await page.locator('.cursor-place b').textContent(), '20');
    assert.ok(decodeURIComponent(await page.evaluate(() => window.location.hash)).includes(zoom));
    assert.equal(await page.locator('.replaying').count(), 0);
    await closeView(view);
  });

  test('a list that was scrolled away from the cursor is not scrolled back', async () => {
    const view = await openHeld('at=1', long);
    const { page } = view;
    await page.locator('#panel-events .rows').hover();
    await page.mouse.wheel(0, 300);
    const first = page.locator('#panel-events .rows [data-at="20"]');
    await first.waitFor();
    await page.waitForFunction(() => document.querySelector('#panel-events .rows [data-at="1"]') === null);
    const inSight = await page.locator('#panel-events .rows-area [data-at]').first().getAttribute('data-at');
    const beforePx = await top(page, inSight ?? '');
    long.open();
    await page.locator('.matrix[data-at="1"]').waitFor();
    await page.waitForFunction(() => /derived/.test(document.querySelector('.replay')?.textContent ?? ''));
    await page.locator('#panel-events .rows [data-at*="."]').first().waitFor();
    assert.equal(await top(page, inSight ?? ''), beforePx);
    await closeView(view);
  });

  test('a filter answers from the file, and with the replay of derived events too', async () => {
    const view = await openHeld('at=1&filter=kind+%3D%3D+lifecycle+%7C%7C+kind+%3D%3D+msr');
    const recorded = await count(view.page);
    assert.ok(recorded > 0);
    server.open();
    await view.page.waitForFunction(
      (before) =>
        Number.parseInt(document.querySelector('#panel-events .count')?.textContent ?? '', 10) > before,
      recorded,
    );
    assert.match(await view.page.getByLabel('Filter of events').inputValue(), /^kind == lifecycle/);
    await closeView(view);
  });

  test('a link to a derived event waits for it', async () => {
    const view = await openHeld('panel=event&at=1.2');
    await waits(view.page, 'event', 0);
    assert.equal(await view.page.locator('.cursor-place b').textContent(), '1.2');
    server.open();
    await view.page.locator('.detail[data-at="1.2"]').waitFor();
    await view.page.locator('#panel-events .rows [data-at="1.2"][data-cursor="true"]').waitFor();
    await closeView(view);
    server.hold();
    const other = await openHeld('panel=event&at=3');
    await other.page.keyboard.press('g');
    await other.page.getByLabel('Go to event or time').fill('1.2');
    await other.page.keyboard.press('Enter');
    await waits(other.page, 'event', 0);
    server.open();
    await other.page.locator('.detail[data-at="1.2"]').waitFor();
    await closeView(other);
  });

  test('who has done nothing is taken to the first finding', async () => {
    const view = await openHeld();
    assert.equal(await view.page.locator('.cursor-place b').textContent(), '1');
    server.open();
    await view.page.locator('.finding').first().waitFor();
    await view.page.waitForFunction(() => document.querySelector('.cursor-place b')?.textContent !== '1');
    await closeView(view);
    server.hold();
    const other = await openHeld();
    await goToEarly(other, '2');
    await goToEarly(other, '1');
    server.open();
    await other.page.locator('.finding').first().waitFor();
    assert.equal(await other.page.locator('.cursor-place b').textContent(), '1');
    await closeView(other);
  });

  test('a replay that fails is one line, and what was there stays', async () => {
    const view = await openHeld('at=4');
    const { page } = view;
    server.fail('x.hvtrace: event 9 is damaged');
    const line = page.locator('.status [role=alert]');
    await line.waitFor();
    assert.equal(await line.textContent(), '✕ no replay: x.hvtrace: event 9 is damaged');
    await page.locator('#panel-matrix .replaying', { hasText: 'the replay has failed' }).waitFor();
    assert.equal(await page.getByRole('progressbar').count(), 0);
    await page.locator('#panel-events .rows [data-at="4"]').waitFor();
    await goToEarly(view, '2');
    await closeView(view);
  });

  async function goToEarly(view: View, at: string): Promise<void> {
    await view.page.keyboard.press('g');
    await view.page.getByLabel('Go to event or time').fill(at);
    await view.page.keyboard.press('Enter');
    await view.page.locator(`#panel-events .rows [data-at="${at}"][data-cursor="true"]`).waitFor();
  }
});
