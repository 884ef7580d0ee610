/** Pages of the app for tests: a server of its own for each trace, and everything that goes wrong in a page. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { exits, PROGRAM } from '../cli/hvrewind.testing.ts';

const root = join(import.meta.dirname, '../..');
/** The same with the ownership patch, which ends the bug. */
const MENDED: string = join(root, 'samples/scenarios/teardown-l1vh-kexec-after.hvtrace.ndjson');
/** The tear-down bug: mshv switches the SynIC off that VMBus still uses. */
export const SAMPLE: string = join(root, 'samples/scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson');

/** Plays the sample into `folder`: every event recorded. */
export async function recordedTrace(folder: string): Promise<string> {
  const file = join(folder, 'recorded.hvtrace');
  await exits(0, ['run', SAMPLE, '-o', file]);
  return file;
}

/** The same with the bug mended: what {@link recordedTrace} is compared with. */
export async function mendedTrace(folder: string): Promise<string> {
  const file = join(folder, 'mended.hvtrace');
  await exits(0, ['run', MENDED, '-o', file]);
  return file;
}

/** A client that runs a guest: it prints, asks a CPUID leaf, touches unmapped memory and an MSR, and halts. */
const GUEST: string = join(root, 'engine/app/corpus/guest.hvtrace.ndjson');

/** Plays the client and its guest into `folder`; with `lines`, only so many of its steps. */
export async function guestTrace(folder: string, lines?: number): Promise<string> {
  const name = lines === undefined ? 'guest' : `guest-${lines}`;
  const file = join(folder, `${name}.hvtrace`);
  const scenario = join(folder, `${name}.hvtrace.ndjson`);
  writeFileSync(
    scenario,
    `${readFileSync(GUEST, 'utf8').trimEnd().split('\n').slice(0, lines).join('\n')}\n`,
  );
  await exits(0, ['run', scenario, '-o', file]);
  return file;
}

/** Imports the sample, or the client, into `folder`: the stimuli alone, so that everything below them is derived. */
export async function derivedTrace(folder: string, of: 'sample' | 'guest' = 'sample'): Promise<string> {
  const file = join(folder, `derived-${of}.hvtrace`);
  await exits(0, ['import', of === 'sample' ? SAMPLE : GUEST, '-o', file]);
  return file;
}

export interface Server {
  readonly url: string;
  close(): Promise<void>;
}

/** `hvrewind serve`, as a user starts it. */
export async function serve(...files: string[]): Promise<Server> {
  const child = spawn(PROGRAM, ['serve', ...files, '--json', '--no-browser'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((done, fail) => {
    createInterface(child.stdout).once('line', done);
    child.once('error', fail);
    child.once('exit', (exit) => fail(new Error(`hvrewind serve ended with ${exit}`)));
  });
  return {
    url: (JSON.parse(line) as { readonly url: string }).url,
    async close() {
      const ended = once(child, 'close');
      child.removeAllListeners('exit').kill('SIGTERM');
      await ended;
    },
  };
}

/** Everything is there in a fraction of it; the machine may be busy. */
const PATIENCE_MS = 20_000;

export interface ViewOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'dark' | 'light';
  /** What stands after `#`. */
  readonly link?: string;
  /** The replay of the trace is held back: it is not waited for. */
  readonly replaying?: true;
}

/** A page of the app. */
export interface View {
  readonly page: Page;
  /** Errors, refusals of the content policy, and requests to anywhere but the server; must stay empty. */
  readonly problems: readonly string[];
}

declare global {
  interface Window {
    refusedByPolicy?: string[];
  }
}

/** Opens the app and waits until it knows its trace. */
export async function openView(browser: Browser, server: Server, options: ViewOptions = {}): Promise<View> {
  const { width = 1280, height = 800, theme = 'dark', link = '' } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const { origin } = new URL(server.url);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) problems.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    window.refusedByPolicy = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.refusedByPolicy?.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  await page.goto(server.url);
  if (link !== '') {
    await page.evaluate((hash) => {
      window.location.hash = hash;
    }, link);
    await page.reload();
  }
  if (options.replaying !== true) await page.locator('.replay b').first().waitFor();
  await page.locator('.rows [data-at]').first().waitFor();
  return { page, problems };
}

/** Demands that nothing went wrong in the page, and closes it. */
export async function closeView({ page, problems }: View): Promise<void> {
  const refused = await page.evaluate(() => window.refusedByPolicy ?? []);
  await page.context().close();
  assert.deepEqual([...problems, ...refused], []);
}

/** Closes a view and what it came from, also when the view has something to complain about. */
export async function closeAll(view: View, server: Server, browser?: Browser): Promise<void> {
  try {
    await closeView(view);
  } finally {
    await server.close();
    await browser?.close();
  }
}

/** Puts the cursor on a position by the keyboard, and waits until every view has followed. */
export async function goTo({ page }: View, at: string): Promise<void> {
  await page.keyboard.press('g');
  await page.getByLabel('Go to event or time').fill(at);
  await page.keyboard.press('Enter');
  await settled(page, at);
}

/** Waits until the cursor is at a position and the views that are drawn have its data. */
export async function settled(page: Page, at: string): Promise<void> {
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.waitForFunction((wanted) => {
    const cursor = document.querySelector('.cursor-place b')?.textContent;
    const drawn = [...document.querySelectorAll<HTMLElement>('.matrix, .state, .detail, .exit, .machine')];
    return (
      cursor === wanted &&
      drawn.every(
        (view) => view.dataset.at === wanted.replace(view.matches('.detail, .exit') ? /r$/ : '', ''),
      )
    );
  }, at);
}

/** Numbers that follow from a seed (mulberry32), so that a failure can be had again. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** `count` different members of a list. */
export function pick<T>(list: readonly T[], count: number, random: (below: number) => number): T[] {
  const left = [...list];
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(random(left.length), 1)[0] as T,
  );
}
