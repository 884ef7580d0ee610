/** The views of a machine that runs a guest, beside the command line, and their keys. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { blindSpots } from '../../engine/trace/blind-spots.ts';
import { timeNs } from '../../engine/trace/position.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import { formatTime, parseTime } from '../../engine/trace/time.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { launchChromium, noChromium } from '../chromium.testing.ts';
import { exits, json } from '../cli/hvrewind.testing.ts';
import { violations } from './axe.testing.ts';
import {
  closeAll,
  closeView,
  goTo,
  guestTrace,
  openView,
  pick,
  randomFrom,
  type Server,
  serve,
  settled,
  type View,
} from './view.testing.ts';

const SEED = Number(process.env.HVREWIND_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(SEED);

const STRACE = join(import.meta.dirname, '../../tracer/import/corpus/strace-examples.txt');

function headerOf(file: string): Profile {
  const reader = openTrace(file);
  if (isProblem(reader)) throw new Error(reader.text);
  reader.close();
  return reader.header.profile;
}

interface Run {
  readonly seq: number;
  readonly t: string;
  readonly tEnd: string;
  readonly out: { readonly type: string; readonly payload: { readonly port_number?: string } };
}

interface Cell {
  readonly path: string;
  readonly value: string | null;
  readonly writer?: { readonly at: string };
}

describe(`the views of a guest, seed ${SEED}`, { skip: noChromium }, () => {
  const folder = scratch();
  let browser: Browser;
  let server: Server;
  let view: View;
  let page: Page;
  let file: string;
  before(async () => {
    [browser, file] = await Promise.all([launchChromium(), guestTrace(folder)]);
    server = await serve(file);
    view = await openView(browser, server, { link: 'panel=exits&at=1' });
    page = view.page;
  });
  after(() => closeAll(view, server, browser));

  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = (id: string) =>
    page.waitForFunction((panel) => document.activeElement?.closest('.panel')?.id === panel, `panel-${id}`);

  test('a VP exit is what the command line prints of it', async () => {
    const printed = await exits(0, ['show', file, 'op == MSHV_RUN_VP', '--json']);
    const runs = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Run);
    await page.locator('.count', { hasText: `${runs.length} exits` }).waitFor();
    for (const run of pick(runs, 2, random)) {
      const at = String(run.seq);
      await goTo(view, at);
      const row = page.locator(`#panel-exits .rows [data-at="${at}"]`);
      const cell = (column: number) => row.locator(`[aria-colindex="${column}"]`).textContent();
      assert.equal(await row.getAttribute('data-cursor'), 'true', at);
      assert.equal(
        await cell(7),
        formatTime(timeNs((parseTime(run.tEnd) ?? 0) - (parseTime(run.t) ?? 0))),
        at,
      );
      const port = run.out.payload.port_number;
      if (port !== undefined) assert.equal(await cell(5), `write port ${port}`, at);
      assert.equal(await page.locator('.exit h3 [title]').last().getAttribute('title'), run.out.type, at);
      const { cells } = await json<{ cells: Cell[] }>(0, ['state', file, '--at', `${at}r`]);
      const shown = await page
        .locator('.registers tbody tr')
        .evaluateAll((rows) =>
          rows.map((each) => [...each.querySelectorAll('th, td')].map((one) => one.textContent ?? '')),
        );
      for (const [name = '', , exit = ''] of shown.filter(([name]) =>
        /^R(.X|.I|IP|SP|\d+)$/.test(name ?? ''),
      )) {
        const path = `partition[2].vp[0].reg.${name.toLowerCase()}`;
        const value = cells.find((candidate) => candidate.path === path)?.value;
        assert.equal(exit.replace(/^Δ /, ''), value ?? '?', `${at} ${path}`);
      }
    }
  });

  test('keys step through the exits, also those of a group', async () => {
    await goTo(view, '1');
    await press('7', 'e');
    await focused('exits');
    await settled(page, '47');
    await press('e', 'Shift+E');
    await settled(page, '47');
    const cpuid = page.locator('.exit-group', { hasText: 'leaf 0x40000010' });
    await cpuid.press('Enter');
    await page.locator('#panel-exits .count', { hasText: '1 exit' }).waitFor();
    await page.waitForFunction(() => window.location.hash.includes('exits='));
    await press('e');
    await page.locator('.exit h3', { hasText: 'X64_CPUID_INTERCEPT' }).waitFor();
    await press('Enter');
    await page.locator('#panel-exits .count', { hasText: '16 exits' }).waitFor();
    await press('/');
    await page.waitForFunction(() => document.activeElement?.matches('#panel-exits .filter input'));
    await page.keyboard.type('dur > 1ms && nothing');
    await press('Enter');
    await page.locator('#exit-filter-problem', { hasText: 'column 14' }).waitFor();
    await page.getByLabel('Filter of VP exits').fill('');
    await press('Enter', 'Escape');
    await focused('exits');
    await press('Home', 'ArrowDown');
    await settled(page, '64');
    await press('Enter');
    await focused('event');
    await page.locator('.detail[data-at="64"]').waitFor();
  });

  test('partitions and guest memory are what the command line prints of the state', async () => {
    await press('9', '8');
    for (const at of ['53', String(60 + random(120))]) {
      await goTo(view, at);
      const { cells } = await json<{ cells: Cell[] }>(0, ['state', file, '--at', at, '--who']);
      const value = (path: string) => cells.find((cell) => cell.path === path)?.value;
      const mapped = cells.filter(({ path }) => /^partition\[2\]\.gpa\[0x[0-9a-f]+\]\.pages$/.test(path));
      const rows = page.locator('.gpa-partition[data-id="2"] .gpa-mapped[data-gone="false"]');
      assert.deepEqual(
        await rows.evaluateAll((all) =>
          all.map((row) => [row.getAttribute('data-from'), row.querySelector('td')?.textContent]),
        ),
        mapped.map(({ path, value: pages }) => [
          `0x${(BigInt(/0x[0-9a-f]+/.exec(path)?.[0] ?? '0') << 12n).toString(16)}`,
          `${Number(pages)} pages`,
        ]),
        at,
      );
      const pool = `${Number(value('partition[2].pool.deposited'))} pages deposited`;
      await page.locator('.partition h4', { hasText: pool }).waitFor();
      await page.locator('.phases [aria-current="step"]', { hasText: 'running' }).waitFor();
      const open = cells.filter(({ path }) => /\.fd\[\d+\]\.handle$/.test(path)).length;
      assert.equal(await page.locator('.descriptors tr[data-now="there"]').count(), open, at);
    }
    await page.locator('.phases .position', { hasText: /^28$/ }).press('Enter');
    await settled(page, '28');
  });

  test('axe finds nothing in them, in both themes', async () => {
    await goTo(view, '57');
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [key, panel] of [
        ['7', 'exits'],
        ['8', 'partitions'],
        ['9', 'memory'],
      ] as const) {
        await press(key);
        await focused(panel);
        await settled(page, '57');
        assert.deepEqual(await violations(page, `#panel-${panel}`), [], `${panel}, ${colorScheme}`);
      }
    }
  });

  test('what is left at the end is marked', async () => {
    // All but the three closes at the end, and the call before them.
    const cut = await serve(await guestTrace(folder, 62));
    const other = await openView(browser, cut, { link: 'panel=partitions&at=60' });
    await other.page.locator('.residue', { hasText: 'partition 2, VP 2.0, 3 descriptors' }).waitFor();
    assert.equal(await other.page.locator('.partition .left, .descriptors .left').count(), 5);
    await closeView(other);
    await cut.close();
  });

  test('the head says which questions a trace cannot answer, and why; of one that can it says nothing', async () => {
    assert.equal(await page.locator('.unanswered').count(), 0);
    const shallow = join(folder, 'shallow.hvtrace');
    await exits(0, ['import', STRACE, '-o', shallow]);
    const given = blindSpots(headerOf(shallow), { kinds: { ioctl: 1, fd: 1 } });
    const [first] = given;
    assert.ok(first !== undefined && given.length > 1);
    const imported = await serve(shallow);
    const other = await openView(browser, imported);
    const head = other.page.locator('header .unanswered');
    assert.equal(await head.textContent(), `does not tell ${first.question} and ${given.length - 1} more`);
    const lines = (await head.getAttribute('title'))?.split('\n') ?? [];
    assert.deepEqual(
      lines,
      given.map(({ question, why }) => `${question}: ${why}`),
    );
    await closeView(other);
    await imported.close();
  });

  test('the head says that a trace holds guest memory, and of others nothing', async () => {
    assert.equal(await page.locator('.holds-memory').count(), 0);
    const text = join(folder, 'memory.hvtrace.ndjson');
    const written = {
      ...{ t: '1ms', kind: 'page', what: 'write', page: 'ram', component: 'vmm', vp: '2.0', gpa: '0x3000' },
      bytes: { '0x10': '5e4711c3' },
    };
    writeFileSync(text, `{"profile":{"instructionNs":"1"}}\n${JSON.stringify(written)}\n`);
    const trace = join(folder, 'memory.hvtrace');
    await exits(0, ['import', text, '-o', trace]);
    const holding = await serve(trace);
    const other = await openView(browser, holding, { link: 'at=1' });
    assert.equal(await other.page.locator('header .holds-memory').textContent(), 'holds guest memory');
    await closeView(other);
    await holding.close();
  });
});
