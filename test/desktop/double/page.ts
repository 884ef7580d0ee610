import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CDPSession, Page } from 'playwright-core';
import { control } from './control-state.ts';
import {
  bridgeHalf,
  type Codec,
  codec,
  type FromIsolatedWorld,
  isolatedWorld,
  mainWorld,
  type ToIsolatedWorld,
} from './in-page.ts';
import { passes } from './session.ts';
import { fromWire, toWire, world } from './world.ts';

const WORLD = 'Electron Isolated Context';

/** Who hears of a page. */
export interface PageListener {
  /** Null: never answered, as the document has gone. */
  request(channel: string, words: readonly unknown[]): Promise<unknown>;
  /** The page wants to go somewhere; false keeps it where it is. */
  mayNavigate(url: string, isMainFrame: boolean): boolean;
  windowWanted(url: string): void;
  loaded(): void;
  crashed(): void;
  closed(): void;
}

/** One Chromium page with an isolated world in which a preload script runs. */
export class ChromiumPage {
  readonly page: Page;
  readonly devtools: CDPSession;
  readonly #listener: PageListener;
  readonly #codec: Codec = codec();
  #mainFrame = '';
  #isolated: number | undefined;
  /** Loads that the program asked for: no navigation of the page. */
  #ownLoads = 0;

  private constructor(page: Page, devtools: CDPSession, listener: PageListener) {
    this.page = page;
    this.devtools = devtools;
    this.#listener = listener;
  }

  static async open(preload: string, size: { width: number; height: number }, listener: PageListener) {
    if (world.context === undefined) throw new Error('electron double: Chromium is not started');
    const page = await world.context.newPage();
    await page.setViewportSize(size);
    const opened = new ChromiumPage(page, await world.context.newCDPSession(page), listener);
    await opened.#prepare(preload);
    return opened;
  }

  url(): string {
    return fromWire(this.page.url());
  }

  /** Loads an address of the app; rejects as Electron does. */
  async load(url: string): Promise<void> {
    this.#ownLoads++;
    try {
      await this.page.goto(toWire(url));
    } catch (error) {
      const interrupted = String(error).includes('interrupted by another navigation');
      const [, code = interrupted ? 'ERR_ABORTED' : 'ERR_FAILED'] =
        /net::(ERR_\w+)/.exec(String(error)) ?? [];
      throw Object.assign(new Error(`${code} loading '${url}'`), { code, url });
    } finally {
      this.#ownLoads--;
    }
  }

  /** Sends a message to the preload script; without its world the message is lost, as in Electron. */
  send(channel: string, words: readonly unknown[]): void {
    const text = this.#codec.encode(words);
    if (this.#isolated === undefined) control.dropped.push(channel);
    else void this.tell({ kind: 'message', channel, text });
  }

  async tell(message: ToIsolatedWorld): Promise<void> {
    const context = this.#isolated;
    if (context === undefined) return;
    try {
      await this.devtools.send('Runtime.callFunctionOn', {
        executionContextId: context,
        functionDeclaration: 'function (message) { doubleReceive(message); }',
        arguments: [{ value: message }],
      });
    } catch (error) {
      // The document went away meanwhile: what was meant for it is lost. Chromium may say so before it says which.
      if (/navigated or closed|Cannot find context/.test(String(error))) return;
      if (this.#isolated === context && !this.page.isClosed()) control.pageErrors.push(String(error));
    }
  }

  async #prepare(preload: string): Promise<void> {
    const { devtools, page } = this;
    await devtools.send('Page.enable');
    this.#mainFrame = (await devtools.send('Page.getFrameTree')).frameTree.frame.id;
    this.#followWorld();
    await devtools.send('Runtime.enable');
    await devtools.send('Runtime.addBinding', { name: 'doubleSend', executionContextName: WORLD });
    await this.#addScripts(preload);
    devtools.on('Fetch.requestPaused', (event) => {
      // A page that is closed has no more requests to answer.
      this.#decide(event.requestId, event.request.url, event).catch(() => {});
    });
    await devtools.send('Fetch.enable', { patterns: [{ urlPattern: '*', requestStage: 'Request' }] });
    devtools.on('Page.windowOpen', ({ url }) => this.#listener.windowWanted(fromWire(url)));
    // Chromium opens it before anybody can say no.
    page.on('popup', (popup) => void popup.close());
    page.on('pageerror', (error) => control.pageErrors.push(String(error)));
    page.on('load', () => this.#listener.loaded());
    page.on('crash', () => this.#listener.crashed());
    page.on('close', () => this.#listener.closed());
  }

  #followWorld(): void {
    const { devtools } = this;
    devtools.on('Runtime.executionContextCreated', ({ context }) => {
      // Frames within the page have a world of this name too, and no preload script in it.
      const { frameId } = context.auxData as { readonly frameId?: string };
      if (context.name === WORLD && frameId === this.#mainFrame) this.#isolated = context.id;
    });
    devtools.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      if (executionContextId === this.#isolated) this.#isolated = undefined;
    });
    devtools.on('Runtime.executionContextsCleared', () => {
      this.#isolated = undefined;
    });
    devtools.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      if (name === 'doubleSend') void this.#answer(executionContextId, payload);
    });
  }

  async #addScripts(preload: string): Promise<void> {
    if (!/\.c?js$/.test(preload))
      throw new Error(`electron double: a sandboxed preload script is CommonJS: ${preload}`);
    const secret = `double-${randomUUID()}-`;
    const half = (self: string, other: string) => `(${bridgeHalf})('${self}', '${other}', '${secret}')`;
    // Without nodeIntegrationInSubFrames a preload script runs in the main frame alone.
    const inMainFrame = (source: string) => ({ source: `if (window === window.top) { ${source}\n}` });
    await this.devtools.send(
      'Page.addScriptToEvaluateOnNewDocument',
      inMainFrame(`(${mainWorld})(${half('page', 'preload')});`),
    );
    const script = `function (require) { ${readFileSync(preload, 'utf8')}\n}`;
    await this.devtools.send('Page.addScriptToEvaluateOnNewDocument', {
      worldName: WORLD,
      ...inMainFrame(`(${isolatedWorld})(${half('preload', 'page')}, (${codec})(), ${script});`),
    });
  }

  async #decide(
    requestId: string,
    wireUrl: string,
    { frameId, resourceType }: { readonly frameId: string; readonly resourceType: string },
  ): Promise<void> {
    const url = fromWire(wireUrl);
    const isMainFrame = frameId === this.#mainFrame;
    const navigates = resourceType === 'Document' && !(isMainFrame && this.#ownLoads > 0);
    if (navigates && !this.#listener.mayNavigate(url, isMainFrame)) {
      control.stayed.push(url);
      await this.devtools.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
    } else if (await passes(url)) {
      await this.devtools.send('Fetch.continueRequest', { requestId });
    } else {
      control.cancelled.push(url);
      await this.devtools.send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
    }
  }

  async #answer(context: number, payload: string): Promise<void> {
    const { id, channel, text } = JSON.parse(payload) as FromIsolatedWorld;
    let message: ToIsolatedWorld;
    try {
      const value = await this.#listener.request(channel, this.#codec.decode(text) as unknown[]);
      message = { kind: 'reply', id, text: this.#codec.encode(value) };
    } catch (error) {
      message = { kind: 'failure', id, message: String(error) };
    }
    if (this.#isolated === context) await this.tell(message);
  }
}
