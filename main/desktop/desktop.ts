import { basename } from 'node:path';
import { app, type BrowserWindow, dialog, Menu } from 'electron';
import type { AppCall } from '../../engine/app/border.ts';
import type { Reply, ShellCall, ShellRequests, ShellStatus } from '../../engine/app/shell.ts';
import { HostedTrace, packTrace } from '../session/hosted-trace.ts';
import { CHANNELS } from './channels.ts';
import type { Answers } from './ipc.ts';
import { type MenuAction, menuTemplate } from './menu.ts';
import { RecentFiles } from './recent.ts';
import { load, openWindow } from './window.ts';

const TRACES = { name: 'Traces', extensions: ['hvtrace', 'zst'] };
const ALL = { name: 'All files', extensions: ['*'] };
const PACKED = { name: 'Packed traces', extensions: ['hvtrace.zst'] };

/** The running program: one window, at most one open trace, and at most one that is being opened. */
export class Desktop implements Answers {
  readonly #folder: string;
  readonly #recent: RecentFiles;
  #window: BrowserWindow | undefined;
  #trace: HostedTrace | undefined;
  #opening: HostedTrace | undefined;
  #line = '';
  #asking = false;

  /** `folder`: where the built program stands (build.ts). Only after the app is ready. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#recent = new RecentFiles(app.getPath('userData'));
    this.#drawMenu();
  }

  /** Brings the window to the front, and makes it where there is none. */
  show(): void {
    const window = this.#window;
    if (window === undefined) {
      this.#window = openWindow(this.#folder, !app.isPackaged);
      this.#window.on('closed', () => {
        this.#window = undefined;
      });
      this.#window.webContents.on('render-process-gone', (_event, { reason }) => this.#viewGone(reason));
    } else {
      if (window.isMinimized()) window.restore();
      window.focus();
    }
  }

  /** Opens a trace in place of the open one, which stays where the new one cannot be shown; `other` is compared with it. */
  async open(path: string, other?: string): Promise<void> {
    this.show();
    void this.#opening?.close();
    this.#say(`opening ${basename(path)}…`);
    const trace = new HostedTrace(
      path,
      {
        progress: (progress) => {
          if (this.#trace === trace) this.#push(CHANNELS.progress, progress);
        },
        ended: (problem) => this.#lost(trace, problem),
      },
      other,
    );
    this.#opening = trace;
    const outcome = await trace.opened;
    if (outcome === 'closed') return;
    this.#opening = undefined;
    if (outcome !== 'opened') {
      this.#say(outcome.problem);
      return;
    }
    void this.#trace?.close();
    this.#trace = trace;
    this.#line = '';
    this.#recent.add(path);
    app.addRecentDocument(path);
    this.#reload();
  }

  /** Ends what runs; the window is Electron's to close. */
  end(): void {
    void this.#opening?.close();
    this.#opening = undefined;
    void this.#trace?.close();
    this.#trace = undefined;
  }

  async app(call: AppCall): Promise<Reply> {
    return this.#trace === undefined ? { problem: 'no trace is open' } : this.#trace.ask(call);
  }

  async shell(call: ShellCall): Promise<Reply> {
    switch (call.method) {
      case 'status':
        return reply<'status'>(this.#status());
      case 'openDialog':
        void this.#openDialog();
        return reply<'openDialog'>({});
      case 'compareDialog':
        void this.#compareDialog();
        return reply<'compareDialog'>({});
      case 'openRecent': {
        const path = this.#recent.paths[call.input.index];
        if (path === undefined) return { problem: 'openRecent: there is no such file' };
        void this.open(path);
        return reply<'openRecent'>({});
      }
      case 'closeTrace':
        this.#closeTrace();
        return reply<'closeTrace'>({});
    }
  }

  drop(path: string): void {
    void this.open(path);
  }

  #status(): ShellStatus {
    return { trace: this.#trace?.name ?? null, recent: this.#recent.views, line: this.#line };
  }

  #run(action: MenuAction): void {
    switch (action) {
      case 'open':
        void this.#openDialog();
        break;
      case 'compare':
        void this.#compareDialog();
        break;
      case 'clear-recent':
        this.#recent.clear();
        app.clearRecentDocuments();
        this.#drawMenu();
        break;
      case 'save-packed':
        void this.#savePacked();
        break;
      case 'close-trace':
        this.#closeTrace();
        break;
    }
  }

  async #openDialog(): Promise<void> {
    const path = await this.#chosen('Open a trace');
    if (path !== undefined) void this.open(path);
  }

  /** Lets the user choose the trace that the open one is compared with. */
  async #compareDialog(): Promise<void> {
    const trace = this.#trace;
    const path = trace === undefined ? undefined : await this.#chosen('Compare with a trace');
    if (trace === undefined || path === undefined) return;
    const answer = await trace.compareWith(path);
    if ('problem' in answer) this.#say(answer.problem);
    else if (this.#trace === trace) this.#reload();
  }

  /** The path of a trace that the user chooses; the key may reach both the page and the menu, and asks once. */
  async #chosen(title: string): Promise<string | undefined> {
    this.show();
    if (this.#window === undefined || this.#asking) return undefined;
    this.#asking = true;
    try {
      const { filePaths } = await dialog.showOpenDialog(this.#window, {
        title,
        properties: ['openFile'],
        filters: [TRACES, ALL],
      });
      return filePaths[0];
    } finally {
      this.#asking = false;
    }
  }

  async #savePacked(): Promise<void> {
    if (this.#window === undefined || this.#trace === undefined) return;
    const { path } = this.#trace;
    const { canceled, filePath } = await dialog.showSaveDialog(this.#window, {
      title: 'Save a packed copy',
      defaultPath: `${path.replace(/\.hvtrace(\.zst)?$/, '')}.hvtrace.zst`,
      filters: [PACKED],
    });
    if (canceled || filePath === '') return;
    this.#say(await packTrace(path, filePath));
  }

  #closeTrace(): void {
    if (this.#trace === undefined) return;
    this.end();
    this.#line = '';
    this.#reload();
  }

  /** The worker of a trace died. */
  #lost(trace: HostedTrace, problem: string): void {
    if (this.#trace !== trace) return;
    this.#trace = undefined;
    this.#line = problem;
    this.#reload();
  }

  /** The process that draws has ended. With the trace closed the next one draws hardly anything, so this ends. */
  #viewGone(reason: string): void {
    if (reason === 'clean-exit') return;
    const name = this.#trace?.name ?? 'the app';
    this.end();
    this.#line = `the view of ${name} ended (${reason}); open it again`;
    this.#reload();
  }

  #reload(): void {
    this.#drawMenu();
    if (this.#window !== undefined) void load(this.#window);
  }

  #say(line: string): void {
    this.#line = line;
    this.#push(CHANNELS.line, line);
  }

  #push(channel: string, value: unknown): void {
    this.#window?.webContents.send(channel, value);
  }

  #drawMenu(): void {
    const template = menuTemplate(
      {
        hasTrace: this.#trace !== undefined,
        recent: this.#recent.paths,
        developer: !app.isPackaged,
        platform: process.platform,
      },
      { run: (action) => this.#run(action), openRecent: (path) => void this.open(path) },
    );
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  }
}

function reply<M extends keyof ShellRequests>(value: ShellRequests[M]['out']): Reply {
  return { value };
}
