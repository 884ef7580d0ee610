/** Nothing of a trace or a link is more than text, nothing leaves the machine, axe finds nothing, and nothing covers anything. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { exits } from '../cli/hvrewind.testing.ts';
import { violations } from './axe.testing.ts';
import { STATES } from './states.testing.ts';
import { closeView, goTo, openView, recordedTrace, SAMPLE, type Server, serve } from './view.testing.ts';

const HOSTILE = `<img src=x onerror="document.title='taken'"><b>bold</b>`;

describe('safety', { skip: noChromium }, () => {
  const folder = scratch();
  let browser: Browser;
  let server: Server;
  before(async () => {
    const [launched, served] = await Promise.all([launchChromium(), recordedTrace(folder).then(serve)]);
    browser = launched;
    server = served;
  });
  after(async () => {
    await server.close();
    await browser.close();
  });

  describe('axe', { concurrency: true }, () => {
    for (const theme of ['dark', 'light'] as const) {
      test(`finds nothing in the ${theme} theme`, async () => {
        const view = await openView(browser, server, { theme, width: 1280 });
        for (const { name, part, show } of STATES) {
          await show(view);
          assert.deepEqual(await violations(view.page, part), [], name);
        }
        await closeView(view);
      });
    }

    for (const theme of ['dark', 'light'] as const) {
      test(`finds nothing where every view has a place, in the ${theme} theme`, async () => {
        const view = await openView(browser, server, {
          width: 2560,
          height: 1440,
          theme,
          link: 'finding=x&path=cpu[0].synic.simp',
        });
        await view.page.locator('.write').first().waitFor();
        assert.deepEqual(await violations(view.page, 'html'), []);
        await closeView(view);
      });
    }
  });

  test('the tools of no view lie over its tabs, or have no room', async () => {
    const view = await openView(browser, server, { width: 1280 });
    const tabs = await view.page.locator('[role=tab]').evaluateAll((all) => all.map(({ id }) => id));
    assert.ok(tabs.length > 8, tabs.join());
    for (const tab of tabs) {
      await view.page.locator(`#${tab}`).click();
      assert.deepEqual(await view.page.evaluate(cramped), [], tab);
    }
    await closeView(view);
  });

  test('text of a trace is text', async () => {
    const [header, first, ...rest] = readFileSync(SAMPLE, 'utf8').trimEnd().split('\n');
    const file = join(folder, 'hostile.hvtrace.ndjson');
    const noted = JSON.stringify({ ...JSON.parse(first ?? ''), note: HOSTILE, component: '<i>x</i>' });
    const mark = JSON.stringify({ t: '20s', kind: 'mark', what: 'note', text: HOSTILE });
    writeFileSync(file, `${[header, noted, ...rest, mark].join('\n')}\n`);
    const trace = join(folder, '<img src=x>.hvtrace');
    await exits(0, ['import', file, '-o', trace]);
    const hostile = await serve(trace);
    const view = await openView(browser, hostile, { link: 'panel=event&derived=false' });
    await goTo(view, '1');
    assert.ok((await view.page.locator('.event-text').textContent())?.includes('<i>x</i>'));
    assert.equal(await view.page.locator('.trace-name').textContent(), '<img src=x>.hvtrace');
    const summary = view.page.locator('#panel-events [data-at="1"] .summary');
    assert.ok((await summary.textContent())?.includes('<b>bold</b>'));
    await view.page.keyboard.press('End');
    assert.equal(await view.page.locator('#app img, #app b b, #app i').count(), 0);
    assert.equal(await view.page.title(), '<img src=x>.hvtrace – hvrewind');
    await closeView(view);
    await hostile.close();
  });

  test('a hostile link is a view like any other', async () => {
    const hash = new URLSearchParams({
      at: `1"><img src=x>`,
      filter: HOSTILE,
      path: HOSTILE,
      finding: HOSTILE,
      panel: '__proto__',
      theme: 'javascript:1',
      range: '1e999..NaN',
    });
    const view = await openView(browser, server);
    await view.page.evaluate((link) => {
      window.location.hash = link;
    }, hash.toString());
    await view.page.getByText('filter, column').first().waitFor();
    assert.equal(await view.page.locator('#app img').count(), 0);
    await view.page.context().close();
    // The server refuses the path and the browser tells of its answer: that is the only thing that may go wrong.
    assert.deepEqual(
      view.problems.filter((problem) => !problem.includes('422')),
      [],
    );
  });
});

/** Of the bars of all views: tools that cover a tab, and fields that are too narrow to read what is typed. */
function cramped(): string[] {
  const found: string[] = [];
  for (const bar of document.querySelectorAll('.panel-bar')) {
    const tabs = [...bar.querySelectorAll('.tabs > button')].map((tab) => tab.getBoundingClientRect());
    for (const tool of bar.querySelectorAll('.panel-tools *')) {
      const { left, right, top, bottom, width } = tool.getBoundingClientRect();
      const covers = tabs.some(
        (tab) => left < tab.right && tab.left < right && top < tab.bottom && tab.top < bottom,
      );
      if (width > 0 && covers) found.push(`${tool.outerHTML.slice(0, 80)} covers a tab`);
      if (tool.matches('input[type=search]') && width < 120)
        found.push(`${tool.outerHTML.slice(0, 80)} is narrow`);
    }
  }
  return found;
}
