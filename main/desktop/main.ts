/** Where Electron starts. What must happen before the app is ready happens here, in order; the rest is in desktop.ts. */
import { fileURLToPath } from 'node:url';
import { app, session } from 'electron';
import { type Asked, askedOnCommandLine, readAsked } from './asked-files.ts';
import { Desktop } from './desktop.ts';
import { answerPages } from './ipc.ts';
import { lockApp, lockContents, lockSession } from './lock.ts';
import { registerScheme, serveScheme } from './scheme.ts';

/** The folder of the built program; the page's files stand in its folder `app` (build.ts). */
const folder = fileURLToPath(new URL('.', import.meta.url));

const asked = askedOnCommandLine(process.argv, process.cwd(), app.isPackaged);
// A second start hands its file over to the first and ends.
if (app.requestSingleInstanceLock(asked)) run(asked);
else app.quit();

function run(first: Asked): void {
  let desktop: Desktop | undefined;
  let waiting = first;
  const open = (asked: Asked): void => {
    const { file, other } = asked;
    if (desktop === undefined) waiting = file === undefined ? waiting : asked;
    else if (file === undefined) desktop.show();
    else void desktop.open(file, other);
  };

  lockApp(app);
  registerScheme();
  app.on('web-contents-created', (_event, contents) => lockContents(contents));
  app.on('second-instance', (_event, _argv, _folder, data) => open(readAsked(data)));
  // macOS names files this way, also before the app is ready.
  app.on('open-file', (event, file) => {
    event.preventDefault();
    open({ file });
  });
  app.on('activate', () => desktop?.show());
  app.on('window-all-closed', () => {
    desktop?.end();
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('will-quit', () => desktop?.end());

  void app.whenReady().then(() => {
    lockSession(session.defaultSession);
    serveScheme(fileURLToPath(new URL('app', import.meta.url)));
    desktop = new Desktop(folder);
    answerPages(desktop);
    desktop.show();
    open(waiting);
  });
}
