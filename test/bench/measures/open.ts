import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../chromium.testing.ts';
import { type Measure, type Measured, milliseconds, percentile } from '../measure.ts';

const PROGRAM = join(import.meta.dirname, '../../../hvrewind');
/** The median of so many. */
const OPENED = 3;
const GOAL_MS = 1000;
/** One picture of a screen with 60 a second. */
const FRAME_MS = 16.7;
/** Frames come a little earlier or later by the clock that tells. */
const JITTER_MS = 0.5;
const HEAP_MIB = 500;
/** Turns of the wheel, in and out again. */
const TURNS = 60;
const REPLAY_MS = 300_000;

interface Opened {
  readonly page: Page;
  /** From the start of `serve` to its address, and to the frame that shows events and lanes. */
  readonly addressMs: number;
  readonly paintedMs: number;
  close(): Promise<void>;
}

/** A browser that runs opens what `serve` shows; then the wheel turns on the timeline, before and after the replay. */
export const measure: Measure = async ({ trace, events }) => {
  const browser = await launchChromium();
  const size = `${events.toLocaleString('en')} events`;
  try {
    const times: Opened[] = [];
    for (let i = 1; i < OPENED; i++) {
      const opened = await open(browser, trace);
      await opened.close();
      times.push(opened);
    }
    const last = await open(browser, trace);
    times.push(last);
    const paintedMs = percentile(
      times.map((opened) => opened.paintedMs),
      0.5,
    );
    const addressMs = percentile(
      times.map((opened) => opened.addressMs),
      0.5,
    );
    const during = await framesMs(last.page);
    await last.page.locator('.replay b').first().waitFor({ timeout: REPLAY_MS });
    const after = await framesMs(last.page);
    const heapMiB = await heapOf(last.page);
    await last.close();
    return [
      {
        what: `open to first paint, ${size}`,
        goal: `≤ ${GOAL_MS} ms`,
        value: `${milliseconds(paintedMs)}, of which ${milliseconds(addressMs)} until serve has an address`,
        held: paintedMs <= GOAL_MS,
      },
      frames('zooming while it is replayed', during),
      frames('zooming after that', after),
      {
        what: 'heap of the page',
        goal: `≤ ${HEAP_MIB} MiB`,
        value: `${heapMiB.toFixed(1)} MiB`,
        held: heapMiB <= HEAP_MIB,
      },
    ];
  } finally {
    await browser.close();
  }
};

async function open(browser: Browser, trace: string): Promise<Opened> {
  const startMs = performance.now();
  const child = spawn(PROGRAM, ['serve', trace, '--json', '--no-browser'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((done) => createInterface(child.stdout).once('line', done));
  const addressMs = performance.now() - startMs;
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  await page.goto((JSON.parse(line) as { readonly url: string }).url);
  // Asked in each frame; the answer is that the frame before has been painted.
  await page.waitForFunction(
    () => document.querySelector('.rows [data-at]') !== null && document.querySelector('.lane') !== null,
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  const paintedMs = performance.now() - startMs;
  return {
    ...{ page, addressMs, paintedMs },
    async close() {
      await page.close();
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Times between frames while the wheel turns on the timeline. */
async function framesMs(page: Page): Promise<readonly number[]> {
  const box = await page.locator('.timeline-canvas').boundingBox();
  if (box === null) throw new Error('the timeline has no place');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(() => {
    const deltas: number[] = [];
    Object.assign(window, { deltas });
    let last = performance.now();
    const next = (now: number): void => {
      deltas.push(now - last);
      last = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  for (let turn = 0; turn < TURNS; turn++) await page.mouse.wheel(0, turn < TURNS / 2 ? -60 : 60);
  return page.evaluate(() => (window as unknown as { readonly deltas: readonly number[] }).deltas.slice(2));
}

function frames(what: string, deltasMs: readonly number[]): Measured {
  const p95 = percentile(deltasMs, 0.95);
  return {
    what: `frames ${what}`,
    goal: `p95 ≤ ${FRAME_MS} ms`,
    value: `p50 ${milliseconds(percentile(deltasMs, 0.5))}, p95 ${p95.toFixed(1)} ms, worst ${milliseconds(Math.max(...deltasMs))} of ${deltasMs.length}`,
    held: p95 <= FRAME_MS + JITTER_MS,
  };
}

async function heapOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize / 2 ** 20;
}
