import type { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, CommandLine } from 'electron';
import { control } from './control-state.ts';
import { missing, newEvent, strict } from './strict.ts';
import { need, world } from './world.ts';

type AppMembers = Pick<
  App,
  | 'addRecentDocument'
  | 'clearRecentDocuments'
  | 'enableSandbox'
  | 'exit'
  | 'getName'
  | 'getPath'
  | 'getVersion'
  | 'isPackaged'
  | 'isReady'
  | 'quit'
  | 'requestSingleInstanceLock'
  | 'whenReady'
> &
  EventEmitter & { readonly commandLine: Pick<CommandLine, 'appendSwitch'> };

const ready = Promise.withResolvers<void>();
let quitting = false;

function manifest(): { readonly name: string; readonly version: string } {
  return JSON.parse(readFileSync(join(world.appFolder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
}

/** Members that events do not need; those of the emitter are added below. */
const members = {
  isPackaged: false,
  commandLine: strict('app.commandLine', {
    appendSwitch(name: string, value?: string) {
      need('not ready', 'app.commandLine.appendSwitch');
      control.switches.set(name, value ?? '');
    },
  }),
  whenReady: () => ready.promise,
  isReady: () => world.ready,
  getName: () => manifest().name,
  getVersion: () => manifest().version,
  getPath(name: string): string {
    if (name !== 'userData') throw missing(`app.getPath(${JSON.stringify(name)})`);
    return control.userData === '' ? join(tmpdir(), 'electron-double') : control.userData;
  },
  enableSandbox() {
    need('not ready', 'app.enableSandbox');
    control.sandboxForAll = true;
  },
  addRecentDocument(path: string) {
    control.systemRecent.push(path);
  },
  clearRecentDocuments() {
    control.systemRecent.length = 0;
  },
  requestSingleInstanceLock(data?: object): boolean {
    control.lockData = data;
    return control.firstInstance;
  },
  quit,
  exit,
};

export const app: AppMembers = strict('app', Object.assign(world.appEvents, members));

/** Electron has started: called once by the test. */
export function becomeReady(): void {
  emit('will-finish-launching');
  world.ready = true;
  emit('ready', newEvent({}), {});
  ready.resolve();
}

/** The last window has closed. */
export function lastWindowClosed(): void {
  if (!quitting && !emit('window-all-closed')) quit();
}

function quit(): void {
  if (quitting) return;
  const before = newEvent({});
  emit('before-quit', before);
  if (before.defaultPrevented) return;
  quitting = true;
  void (async () => {
    for (const window of [...world.windows]) {
      if (await window.ask()) continue;
      quitting = false;
      return;
    }
    const will = newEvent({});
    emit('will-quit', will);
    quitting = !will.defaultPrevented;
    if (!quitting) return;
    emit('quit', newEvent({}), 0);
    exit(0);
  })();
}

/** Ends the program: seen by the test, whose process goes on. */
function exit(code = 0): void {
  control.exitCode = code;
}

function emit(name: string, ...words: unknown[]): boolean {
  return world.appEvents.emit(name, ...words);
}
