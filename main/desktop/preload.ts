/**
 * Runs before the page, in a world of its own: the page gets the four functions of the bridge and nothing else of
 * Electron or Node. Dropped files are handled here, because only here can their path be asked for.
 */
import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from 'electron';
import type { AppProgress } from '../../engine/app/api.ts';
import type { Bridge, Reply } from '../../engine/app/shell.ts';
import { CHANNELS } from './channels.ts';

/** The few things of the page that are used here; main is compiled without the DOM's types. */
interface DragEvent {
  readonly isTrusted: boolean;
  readonly dataTransfer: { readonly files: ArrayLike<File>; dropEffect: 'copy' } | null;
  preventDefault(): void;
}
declare const window: {
  addEventListener(type: 'dragover' | 'drop', listener: (event: DragEvent) => void): void;
};

const bridge: Bridge = {
  app: (method, input) => ask(CHANNELS.app, method, input),
  shell: (method, input) => ask(CHANNELS.shell, method, input),
  onProgress: (listener) => hear<AppProgress>(CHANNELS.progress, listener),
  onLine: (listener) => hear<string>(CHANNELS.line, listener),
};
contextBridge.exposeInMainWorld('hvrewind', bridge);

window.addEventListener('dragover', (event) => {
  // Without this the page takes no drop.
  event.preventDefault();
  if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy';
});
window.addEventListener('drop', (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  // A drop that a script made up, or a file that is not on disk, has nothing to open.
  const path = event.isTrusted && file !== undefined ? webUtils.getPathForFile(file) : '';
  if (path !== '') void ipcRenderer.invoke(CHANNELS.drop, path);
});

function ask(channel: string, method: string, input: unknown): Promise<Reply> {
  return ipcRenderer.invoke(channel, method, input) as Promise<Reply>;
}

function hear<T>(channel: string, listener: (value: T) => void): () => void {
  const heard = (_event: IpcRendererEvent, value: T): void => listener(value);
  ipcRenderer.on(channel, heard);
  return () => ipcRenderer.off(channel, heard);
}
