import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { electronBinary, electronFor } from '../../desktop/binary.ts';
import { buildDesktop } from '../../desktop/build.ts';
import { launchElectron } from '../../desktop/launch.ts';
import type { Arguments } from '../command.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { openTraceFile } from '../trace.ts';
import { run as serve } from './serve.ts';

const root = join(import.meta.dirname, '../../..');
/** Below node_modules, so that the built program finds its packages; made anew at each start. */
const APP_FOLDER = join(root, 'node_modules/.cache/hvrewind/desktop');

/** `hvrewind open`: the app in Electron when it is here, else what `serve` does. Fetches nothing. */
export async function run(args: Arguments): Promise<number> {
  // A mistake in a name is told here and not in a window.
  for (const file of args.operands) openTraceFile(file).close();
  const here = electronFor({
    binary: electronBinary(process.env),
    platform: process.platform,
    uid: process.getuid?.(),
    environment: process.env,
    isCheckout: existsSync(join(root, 'main/desktop/main.ts')),
  });
  const why = 'why' in here ? here.why : await buildFailure();
  if (why !== undefined || 'why' in here) {
    if (args.operands.length === 0)
      throw new Problem(`open: ${why}; name a FILE to see it in a browser`, EXIT.environment);
    tell(`${why}: the app opens in the browser`);
    return serve(args);
  }
  if (args.flag('json')) await printJson({ electron: here.binary });
  return launchElectron(
    here.binary,
    APP_FOLDER,
    args.operands.map((file) => resolve(file)),
  );
}

/** Builds the program; a folder that is not this user's to write is a reason to do without it. */
async function buildFailure(): Promise<string | undefined> {
  try {
    await buildDesktop(APP_FOLDER);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return `the desktop program cannot be written (${(error as Error).message})`;
  }
}
