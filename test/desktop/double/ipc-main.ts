import type { IpcMain } from 'electron';
import { strict } from './strict.ts';
import { world } from './world.ts';

type IpcMembers = Pick<IpcMain, 'handle'>;

export const ipcMain: IpcMembers = strict('ipcMain', {
  handle(channel: string, listener: Parameters<IpcMain['handle']>[1]): void {
    if (world.ipcHandlers.has(channel))
      throw new Error(`Attempted to register a second handler for '${channel}'`);
    world.ipcHandlers.set(channel, listener as (event: object, ...words: unknown[]) => unknown);
  },
});
