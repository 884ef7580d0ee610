import { EventEmitter } from 'node:events';
import type { BrowserWindowConstructorOptions, BrowserWindow as ElectronWindow, WebContents } from 'electron';
import { lastWindowClosed } from './app.ts';
import { control } from './control-state.ts';
import { ChromiumPage } from './page.ts';
import { applyPermissions } from './session.ts';
import { missing, newEvent, onlyKnown, strict } from './strict.ts';
import { type AnyWindow, need, world } from './world.ts';

type WindowMembers = Pick<
  ElectronWindow,
  | 'focus'
  | 'isDestroyed'
  | 'isMinimized'
  | 'isVisible'
  | 'loadURL'
  | 'minimize'
  | 'restore'
  | 'show'
  | 'close'
>;
type ContentsMembers = Pick<
  WebContents,
  'getURL' | 'send' | 'setWebRTCIPHandlingPolicy' | 'setWindowOpenHandler'
>;

const OPTIONS = ['width', 'height', 'minWidth', 'minHeight', 'title', 'show', 'webPreferences'];
const PREFERENCES = [
  'preload',
  'contextIsolation',
  'sandbox',
  'nodeIntegration',
  'webviewTag',
  'spellcheck',
  'devTools',
];

class Contents extends EventEmitter implements ContentsMembers {
  readonly #window: DoubleWindow;
  openHandler: Parameters<WebContents['setWindowOpenHandler']>[0] | undefined;

  constructor(window: DoubleWindow) {
    super();
    this.#window = window;
  }

  getURL(): string {
    return this.#window.chromium?.url() ?? '';
  }

  send(channel: string, ...words: unknown[]): void {
    if (this.#window.chromium === undefined) control.dropped.push(channel);
    else this.#window.chromium.send(channel, words);
  }

  setWindowOpenHandler(handler: Parameters<WebContents['setWindowOpenHandler']>[0]): void {
    this.openHandler = handler;
  }

  setWebRTCIPHandlingPolicy(): void {
    // The Chromium of the tests reaches no network anyway.
  }
}

/** A window over one Chromium page. */
class DoubleWindow extends EventEmitter implements WindowMembers, AnyWindow {
  readonly contents = new Contents(this);
  readonly webContents: ContentsMembers & EventEmitter = strict('webContents', this.contents);
  chromium: ChromiumPage | undefined;
  #started: Promise<ChromiumPage>;
  readonly #open: () => Promise<ChromiumPage>;
  #visible: boolean;
  #minimized = false;
  #closing = false;
  #destroyed = false;
  #wasLoaded = false;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    need('ready', 'new BrowserWindow');
    onlyKnown('BrowserWindow', options, OPTIONS);
    const { webPreferences: preferences = {}, width = 800, height = 600 } = options;
    onlyKnown('webPreferences', preferences, PREFERENCES);
    const sandboxed = preferences.sandbox === true && control.sandboxForAll;
    if (!sandboxed || preferences.contextIsolation !== true || preferences.nodeIntegration !== false)
      throw missing('a window without sandbox and contextIsolation, or with nodeIntegration');
    this.#visible = options.show !== false;
    world.windows.add(this);
    world.appEvents.emit('web-contents-created', newEvent({}), this.webContents);
    this.#open = () => this.#start(preferences.preload ?? '', { width, height });
    this.#started = this.#open();
  }

  async loadURL(url: string): Promise<void> {
    const chromium = await this.#started;
    await applyPermissions(this.contents as unknown as WebContents, url);
    await chromium.load(url);
  }

  async #start(preload: string, size: { width: number; height: number }): Promise<ChromiumPage> {
    const opened: ChromiumPage = await ChromiumPage.open(preload, size, {
      request: (channel, words) => this.#request(channel, words),
      mayNavigate: (url, isMainFrame) => this.#mayNavigate(url, isMainFrame),
      windowWanted: (url) => this.#windowWanted(url),
      loaded: () => {
        this.contents.emit('did-finish-load');
        if (!this.#wasLoaded) this.emit('ready-to-show');
        this.#wasLoaded = true;
      },
      crashed: () => this.#crashed(),
      closed: () => {
        // A page that was replaced after a crash is closed, and its window is not.
        if (this.chromium === opened) this.#closed();
      },
    });
    this.chromium = opened;
    return opened;
  }

  /** Electron gives the window another process at its next load; a crashed page of Chromium stays dead. */
  #crashed(): void {
    const dead = this.chromium;
    this.chromium = undefined;
    this.#started = this.#open();
    void dead?.page.close();
    this.contents.emit('render-process-gone', newEvent({}), { reason: 'crashed', exitCode: 1 });
  }

  async #request(channel: string, words: readonly unknown[]): Promise<unknown> {
    const handler = world.ipcHandlers.get(channel);
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
    const senderFrame = strict('senderFrame', { url: this.contents.getURL(), parent: null });
    return handler(strict('event', { sender: this.webContents, senderFrame }), ...words);
  }

  #mayNavigate(url: string, isMainFrame: boolean): boolean {
    const events = [newEvent({ url, isMainFrame }), newEvent({ url, isMainFrame })] as const;
    this.contents.emit('will-frame-navigate', events[0]);
    if (isMainFrame) this.contents.emit('will-navigate', events[1], url);
    return !events.some((event) => event.defaultPrevented);
  }

  #windowWanted(url: string): void {
    const details = { url, frameName: '', features: '', disposition: 'new-window' } as unknown as Parameters<
      NonNullable<Contents['openHandler']>
    >[0];
    if (this.contents.openHandler?.(details).action === 'deny') control.deniedWindows.push(url);
    else throw missing(`a window opened by the page: ${url}`);
  }

  close(): void {
    void this.ask();
  }

  async ask(): Promise<boolean> {
    if (this.#destroyed) return true;
    const event = newEvent({});
    this.emit('close', event);
    if (event.defaultPrevented) return false;
    // From here on it is as good as gone: a load under way is aborted.
    this.#closing = true;
    await (await this.#started).page.close();
    this.#closed();
    return true;
  }

  #closed(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    world.windows.delete(this);
    this.emit('closed');
    if (world.windows.size === 0) lastWindowClosed();
  }

  isDestroyed(): boolean {
    return this.#destroyed || this.#closing;
  }

  show(): void {
    this.#visible = true;
  }

  isVisible(): boolean {
    return this.#visible;
  }

  focus(): void {
    control.focused++;
  }

  minimize(): void {
    this.#minimized = true;
  }

  isMinimized(): boolean {
    return this.#minimized;
  }

  restore(): void {
    this.#minimized = false;
  }
}

/** `new BrowserWindow(options)` gives the strict form: what the double lacks throws. */
export const BrowserWindow = new Proxy(DoubleWindow, {
  construct: (target, [options]: [BrowserWindowConstructorOptions]) =>
    strict('BrowserWindow', new target(options)),
});

/** The window behind what the program holds, for the test. */
export function theWindow(): DoubleWindow {
  const [window] = world.windows;
  if (!(window instanceof DoubleWindow)) throw new Error('electron double: no window is open');
  return window;
}
