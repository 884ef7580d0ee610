/** What `import … from 'electron'` gives the main program in a test. A name that is missing here fails the import. */
export { app } from './app.ts';
export { dialog } from './dialog.ts';
export { ipcMain } from './ipc-main.ts';
export { Menu } from './menu.ts';
export { protocol } from './protocol.ts';
export { session } from './session.ts';
export { BrowserWindow } from './window.ts';
