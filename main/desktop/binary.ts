import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The Electron program, where `npm run electron:install` has put it or ELECTRON_OVERRIDE_DIST_PATH (Electron's own
 * variable) says it is; undefined without one. It looks at files: importing the package would fetch what is missing.
 */
export function electronBinary(environment: Environment): string | undefined {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
    const elsewhere = environment.ELECTRON_OVERRIDE_DIST_PATH;
    const named = join(folder, 'path.txt');
    const name = existsSync(named) ? readFileSync(named, 'utf8') : 'electron';
    const path = join(elsewhere ?? join(folder, 'dist'), name);
    return existsSync(path) ? path : undefined;
  } catch {
    // The package is not installed.
    return undefined;
  }
}

/** What decides whether the app can run in Electron here. */
export interface Place {
  readonly binary: string | undefined;
  readonly platform: NodeJS.Platform;
  /** User id; undefined where there are none. */
  readonly uid: number | undefined;
  readonly environment: Environment;
  /** The sources to build the program from are there. */
  readonly isCheckout: boolean;
}

/** Electron and where to run it, or in half a line why not. */
export function electronFor(place: Place): { readonly binary: string } | { readonly why: string } {
  const { binary, platform, uid, environment } = place;
  if (!place.isCheckout) return { why: 'this installation has no desktop program' };
  if (binary === undefined) return { why: 'Electron is not here (npm run electron:install fetches it)' };
  if (platform === 'linux' && uid === 0) return { why: 'the sandbox of Electron does not run as root' };
  if (platform === 'linux' && !environment.DISPLAY && !environment.WAYLAND_DISPLAY)
    return { why: 'there is no display for Electron' };
  return { binary };
}
