/** A walk through the app without a pointer: every key does what the sheet says, and links bring everything back. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { json } from '../cli/hvrewind.testing.ts';
import {
  closeAll,
  closeView,
  goTo,
  openView,
  recordedTrace,
  type Server,
  serve,
  settled,
  type View,
} from './view.testing.ts';

interface Finding {
  readonly id: string;
  readonly culprit: { readonly at: string };
  readonly cells: readonly string[];
}

describe('the keyboard', { skip: noChromium }, () => {
  let browser: Browser;
  let server: Server;
  let view: View;
  let page: Page;
  let finding: Finding;
  let events: number;
  const folder = scratch();
  before(async () => {
    browser = await launchChromium();
    const file = await recordedTrace(folder);
    const { findings } = await json<{ findings: Finding[] }>(1, ['check', file]);
    ({ events } = await json<{ events: number }>(0, ['replay', file]));
    assert.ok(findings[0] !== undefined);
    finding = findings[0];
    server = await serve(file);
    view = await openView(browser, server);
    page = view.page;
  });
  after(() => closeAll(view, server, browser));
  // What a failed test leaves in a box would be typed over by all that follow.
  afterEach(() => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur()));

  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  /** Keys of which none waits for what the one before does. */
  const atOnce = (...keys: string[]) =>
    page.evaluate((all) => {
      for (const key of all)
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }, keys);
  const cursor = () => page.locator('.cursor-place b').textContent();
  const notice = () => page.locator('.notice').textContent();
  const focusedPanel = () => page.evaluate(() => document.activeElement?.closest('.panel')?.id);
  /** Waits until the link of the view matches. */
  const link = (wanted: RegExp) =>
    page
      .waitForFunction(({ source }) => new RegExp(source).test(window.location.hash), {
        source: wanted.source,
      })
      .catch(async (error) => {
        throw new Error(`the link does not become ${wanted}: ${await present()}`, { cause: error });
      });
  /** What stands in the window, for whoever has to find out why it is not what was waited for. */
  const present = () =>
    page.evaluate(() =>
      JSON.stringify({
        link: window.location.hash,
        focus: document.activeElement?.outerHTML.slice(0, 200),
        filter: document.querySelector<HTMLInputElement>('.filter input')?.value,
        words: [...document.querySelectorAll('#filter-words [role=option]')].map((word) => word.textContent),
        problem: document.querySelector('.filter-problem')?.textContent,
      }),
    );
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

  test('a trace opens on its first finding', async () => {
    await settled(page, finding.culprit.at);
  });

  test('steps through the list', async () => {
    await goTo(view, '10');
    await press('j');
    await settled(page, '11');
    await press('k', 'k');
    await settled(page, '9');
    await press('End');
    await settled(page, String(events));
    await press('j');
    await page.locator('.notice', { hasText: 'the last event' }).waitFor();
    await press('Home');
    await settled(page, '1');
    await press('PageDown');
    await settled(page, '21');
  });

  test('keys that come before the one before is answered count as well', async () => {
    await goTo(view, '10');
    await atOnce('j', 'j', 'k', 'j', 'j');
    await settled(page, '13');
    await atOnce('End', 'k', 'k');
    await settled(page, String(events - 2));
  });

  test('goes to events and times, and says what is neither', async () => {
    await goTo(view, '42');
    await press('g');
    const box = page.getByLabel('Go to event or time');
    await box.fill('30ms');
    await press('Enter');
    await page.locator('dialog').waitFor({ state: 'detached' });
    const line = page.locator('#panel-events [data-cursor="true"]');
    await line.locator('.time', { hasText: '0.030' }).waitFor();
    await press('g');
    for (const [wrong, answer] of [
      ['x', /neither a position/],
      [String(events + 1), new RegExp(`the last event is ${events}`)],
      ['1.999', /nothing stands at/],
      ['900s', /no event at or after/],
    ] as const) {
      await box.fill(wrong);
      await press('Enter');
      await page.locator('#goto-refusal', { hasText: answer }).waitFor();
    }
    await press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  });

  test('every view has a key', async () => {
    for (const [key, panel] of [
      ['1', 'timeline'],
      ['2', 'events'],
      ['3', 'matrix'],
      ['4', 'event'],
      ['5', 'findings'],
      ['6', 'state'],
      ['7', 'exits'],
      ['8', 'partitions'],
      ['9', 'memory'],
      ['b', 'why'],
      ['w', 'whatif'],
      ['f', 'diff'],
    ] as const) {
      await press(key);
      await page.waitForFunction(
        (id) => document.activeElement?.closest('.panel')?.id === id,
        `panel-${panel}`,
      );
    }
    await press('F6');
    await page.waitForFunction(() => document.activeElement?.closest('.panel')?.id === 'panel-timeline');
  });

  test('a view fills the window and goes back', async () => {
    await press('2', 'z');
    await page.waitForFunction(() => document.querySelectorAll('.panel').length === 1);
    await page.waitForFunction(() => document.activeElement?.closest('.panel')?.id === 'panel-events');
    await press('Escape');
    await page.waitForFunction(() => document.querySelectorAll('.panel').length === 4);
  });

  test('a filter is written with the words it offers; a mistake is shown at its column', async () => {
    await press('2', '/');
    const box = page.getByLabel('Filter of events');
    await page.waitForFunction(() => document.activeElement?.matches('.filter input'));
    await page.keyboard.type('compon');
    // The list of fewer letters has the word too, at another place.
    await page.waitForFunction(() => {
      const words = [...document.querySelectorAll('#filter-words [role=option]')];
      return words.length === 1 && words[0]?.textContent === 'component';
    });
    await press('ArrowDown', 'Enter');
    await page.keyboard.type('== mshv');
    await press('Enter');
    await link(/filter=/);
    const owners = page.locator('#panel-events .rows .owner span');
    await owners.first().waitFor();
    assert.deepEqual([...new Set(await owners.allTextContents())], ['mshv']);
    await box.fill('cpu == 0 && what == 1');
    await press('Enter');
    await page.locator('.filter-problem', { hasText: 'column 13' }).waitFor();
    const columns = await page.evaluate(() => {
      const caret = document.querySelector('.caret')?.getBoundingClientRect().left ?? 0;
      const input = document.querySelector<HTMLElement>('.filter input');
      const context = document.createElement('canvas').getContext('2d');
      if (input === null || context === null) return undefined;
      context.font = getComputedStyle(input).font;
      const start =
        input.getBoundingClientRect().left + Number.parseFloat(getComputedStyle(input).paddingLeft);
      return (caret - start) / context.measureText('0').width;
    });
    assert.ok(columns !== undefined && Math.abs(columns - 12) < 0.5, `the caret is at column ${columns}`);
    await box.fill('');
    await press('Enter', 'Escape');
    await link(/^(?!.*filter=)/);
    assert.equal(await focusedPanel(), 'panel-events');
  });

  test('shows a finding: cursor, cells, lanes and range; Escape ends it', async () => {
    await goTo(view, '1');
    await press('n');
    await settled(page, finding.culprit.at);
    const shown = page.locator(`#panel-events [data-at="${finding.culprit.at}"]`);
    await shown.locator('[data-sign="culprit"]').waitFor();
    await page.locator('.history-path', { hasText: finding.cells[0] ?? '' }).waitFor();
    const marked = await page
      .locator('.matrix-cell[data-proof="true"]')
      .evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).dataset.path));
    assert.deepEqual(marked.sort(), [...finding.cells].sort());
    await page.locator('.lane[data-dimmed="true"]').first().waitFor();
    const dimmed = await page
      .locator('.lane')
      .evaluateAll((lanes) => lanes.map((lane) => (lane as HTMLElement).dataset.dimmed));
    assert.deepEqual(dimmed, [...dimmed].sort(), 'lanes of the finding come first');
    await press('Escape');
    await page.locator('.lane[data-dimmed="true"]').first().waitFor({ state: 'detached' });
  });

  test('walks the writes of a cell', async () => {
    await press('3', 'Home', 'ArrowDown', 'ArrowRight', 'Enter');
    await page.waitForFunction(() => {
      const active = document.activeElement?.getAttribute('aria-activedescendant');
      return (
        active === 'msr-1-1' && document.getElementById(active)?.getAttribute('aria-selected') === 'true'
      );
    });
    const path = (await page.locator('.matrix-cell[aria-selected="true"]').getAttribute('data-path')) ?? '';
    const writes = page.locator('.history-writes .write');
    await page.locator('.history-path', { hasText: path }).waitFor();
    await page.locator(`.history[data-path="${path}"]`).waitFor();
    const places = await writes.evaluateAll((all) =>
      all.map((write) => (write as HTMLElement).dataset.at ?? ''),
    );
    assert.ok(places.length > 1, path);
    await press('Home');
    await goTo(view, '1');
    for (const place of places.filter((at) => at !== '0' && at !== '1')) {
      await press(']');
      await settled(page, place);
    }
    await press('[');
    await settled(page, places.at(-2) ?? '');
    await goTo(view, '1');
    await atOnce(']', ']');
    await settled(page, places.filter((at) => at !== '0' && at !== '1')[1] ?? '');
  });

  test('opens the tree of cells', async () => {
    await press('6');
    await page.waitForFunction(() => document.activeElement?.matches('.state .rows'));
    await press('Home', 'ArrowLeft', 'ArrowRight', 'ArrowDown');
    const active = () =>
      page.evaluate(() => {
        const id = document.activeElement?.getAttribute('aria-activedescendant') ?? '';
        return document.getElementById(id)?.dataset.path;
      });
    await page.waitForFunction(() => document.querySelector('.state [aria-expanded="true"]') !== null);
    const below = (await active()) ?? '';
    assert.match(below, /^cpu\[0\]\./);
    await press('Enter');
    await page.waitForFunction(
      (path) => new URLSearchParams(window.location.hash.slice(1)).get('path') === path,
      below,
    );
    await press('ArrowLeft');
    assert.equal(await active(), 'cpu[0]');
  });

  test('links fields and bytes both ways', async () => {
    await goTo(view, finding.culprit.at);
    await press('4');
    await page.locator('.fields').first().focus();
    await page.locator('.field[aria-selected="true"]').first().waitFor();
    await press('End');
    const field = await page.locator('.field[aria-selected="true"] .field-name').textContent();
    const lit = await page.locator('.byte[data-active="true"]').count();
    assert.ok(lit > 0 && (await page.locator('.bit[data-active="true"]').count()) > 0, `${field}`);
    await page.locator('.bytes').first().focus();
    await press('Home');
    await page.locator('.byte[data-at="true"]').waitFor();
    assert.equal(await page.locator('.field[aria-selected="true"]').count(), 1);
  });

  test('steps through a lane of the timeline, zooms, changes the axis', async () => {
    await goTo(view, '1');
    await press('1', 'Home', 'ArrowDown');
    await page.locator('.lane[aria-selected="true"]').waitFor();
    await press('ArrowRight');
    await page.waitForFunction(() => document.querySelector('.cursor-place b')?.textContent !== '1');
    await press('+');
    await link(/range=/);
    await press('0');
    await link(/^(?!.*range=)/);
    await press('x');
    await link(/axis=time/);
    await press('x');
    await link(/^(?!.*axis=time)/);
  });

  test('copies what has the focus, the event, and a link', async () => {
    await goTo(view, '12');
    await press('2', 'y');
    await page.locator('.notice', { hasText: 'copied 12' }).waitFor();
    assert.equal(await clipboard(), '12');
    await press('Shift+Y');
    await page.locator('.notice', { hasText: 'copied {' }).waitFor();
    assert.equal(JSON.parse(await clipboard()).seq, 12);
    await link(/at=12/);
    await press('Shift+L');
    await page.locator('.notice', { hasText: 'copied http' }).waitFor();
    assert.equal(await clipboard(), page.url());
  });

  test('a link brings the view back, and back undoes a jump', async () => {
    await press('n');
    await settled(page, finding.culprit.at);
    await press('t', '4');
    await page.waitForFunction(
      () =>
        /theme=dark.*|panel=event/.test(window.location.hash) && window.location.hash.includes('panel=event'),
    );
    const link = (await page.evaluate(() => window.location.hash)).slice(1);
    const other = await openView(browser, server, { link });
    await settled(other.page, finding.culprit.at);
    await other.page.locator('#tab-event[aria-selected="true"]').waitFor();
    await other.page.locator('.lane[data-dimmed="true"]').first().waitFor();
    assert.equal((await other.page.evaluate(() => window.location.hash)).slice(1), link);
    await closeView(other);
    await press('t', 't');
    await page.goBack();
    await settled(page, '12');
  });

  test('finds commands by name, and lists every key', async () => {
    await press('Control+k');
    await page.getByLabel('Command', { exact: true }).fill('last ev');
    await press('Enter');
    await settled(page, String(events));
    await press('?');
    const sheet = page.getByRole('dialog', { name: 'Keys and signs' });
    await sheet.waitFor();
    assert.ok((await sheet.locator('kbd').count()) > 30);
    await press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await press('d');
    assert.match((await notice()) ?? '', /derived events are hidden/);
    await press('d');
    assert.equal(await cursor(), String(events));
  });
});
