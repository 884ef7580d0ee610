/**
 * `node test/view/pictures.ts [FOLDER [NAME…]]`: makes the pictures of docs/pictures (or FOLDER) anew, all or those named: each view with the
 * tear-down sample or with a guest that runs, in both themes, at 1280 and 2560 wide.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../chromium.testing.ts';
import { smallPng } from './small-png.ts';
import {
  closeView,
  guestTrace,
  mendedTrace,
  openView,
  recordedTrace,
  type Server,
  serve,
  settled,
} from './view.testing.ts';

/** A picture for each theme and size of `sizes`. */
interface Subject {
  readonly name: string;
  /** The trace that is shown. */
  readonly of: 'teardown' | 'guest' | 'both';
  readonly link: string;
  /** Position of the cursor when everything is drawn. */
  readonly at: string;
  readonly sizes: readonly Size[];
  /** Keys that are pressed when the page is there. */
  readonly keys?: readonly string[];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const SMALL: Size = { width: 1280, height: 800 };
const LARGE: Size = { width: 2560, height: 1440 };
const THEMES = ['dark', 'light'] as const;

export const SUBJECTS: readonly Subject[] = [
  { name: 'overview', of: 'teardown', link: '', at: '70', keys: ['n'], sizes: [SMALL, LARGE] },
  { name: 'event', of: 'teardown', link: 'at=59&panel=event', at: '59', sizes: [SMALL] },
  {
    name: 'state',
    of: 'teardown',
    link: 'at=70&panel=state&path=cpu[0].synic.simp',
    at: '70',
    sizes: [SMALL],
  },
  { name: 'time', of: 'teardown', link: 'at=93&panel=event&axis=time', at: '93', sizes: [SMALL] },
  { name: 'filter', of: 'teardown', link: 'at=93&panel=state&filter=fault', at: '93', sizes: [SMALL] },
  { name: 'keys', of: 'teardown', link: 'at=70', at: '70', keys: ['?'], sizes: [SMALL] },
  { name: 'palette', of: 'teardown', link: 'at=70', at: '70', keys: ['Control+k'], sizes: [SMALL] },
  { name: 'why', of: 'teardown', link: 'at=93&panel=why&why=93.fault', at: '93', sizes: [SMALL] },
  {
    name: 'whatif',
    of: 'teardown',
    link: 'at=62&panel=whatif&edits=move+62+after+88',
    at: '62',
    sizes: [SMALL],
  },
  { name: 'diff', of: 'both', link: 'panel=diff&at=6', at: '6', keys: ['f'], sizes: [SMALL, LARGE] },
  {
    name: 'diff-edits',
    of: 'teardown',
    link: 'panel=diff&at=93&edits=move+62+after+88',
    at: '93',
    keys: ['f', 'z'],
    sizes: [SMALL],
  },
  { name: 'exits', of: 'guest', link: 'at=80&panel=exits', at: '80', keys: ['8', '7'], sizes: [SMALL] },
  { name: 'partitions', of: 'guest', link: 'at=190&panel=partitions', at: '190', sizes: [SMALL] },
  { name: 'memory', of: 'guest', link: 'at=57&panel=memory', at: '57', keys: ['9'], sizes: [SMALL] },
  { name: 'guest', of: 'guest', link: 'at=53', at: '53', sizes: [LARGE] },
];

/** Makes pictures of `subjects` in `folder`; returns their file names. */
export async function makePictures(
  browser: Browser,
  servers: Readonly<Record<Subject['of'], Server>>,
  folder: string,
  subjects: readonly Subject[],
): Promise<string[]> {
  const names: string[] = [];
  for (const { name, of, link, at, keys = [], sizes } of subjects) {
    for (const theme of THEMES) {
      for (const { width, height } of sizes) {
        const view = await openView(browser, servers[of], { theme, width, height, link });
        await settled(view.page, at);
        for (const key of keys) await view.page.keyboard.press(key);
        // Two frames: signals have settled, the canvas is drawn, fonts are there.
        await view.page.evaluate(
          () =>
            new Promise((done) =>
              requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 200)),
            ),
        );
        const file = `${name}-${theme}-${width}.png`;
        const png = await view.page.screenshot({ animations: 'disabled', caret: 'hide' });
        writeFileSync(join(folder, file), smallPng(png));
        names.push(file);
        await closeView(view);
      }
    }
  }
  return names;
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs/pictures');
  const scratch = mkdtempSync(join(tmpdir(), 'hvrewind-pictures-'));
  const wanted = process.argv.slice(3);
  const subjects = wanted.length === 0 ? SUBJECTS : SUBJECTS.filter(({ name }) => wanted.includes(name));
  mkdirSync(folder, { recursive: true });
  const teardown = await serve(await recordedTrace(scratch));
  const guest = await serve(await guestTrace(scratch));
  const both = await serve(join(scratch, 'recorded.hvtrace'), await mendedTrace(scratch));
  const browser = await launchChromium();
  try {
    for (const name of await makePictures(browser, { teardown, guest, both }, folder, subjects))
      console.log(name);
  } finally {
    await browser.close();
    await teardown.close();
    await guest.close();
    await both.close();
    rmSync(scratch, { recursive: true });
  }
  // The command line runs in a process that tests share and that waits for more.
  process.exit();
}
