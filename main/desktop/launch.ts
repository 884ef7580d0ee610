import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Starts Electron on a built program and waits for its end; resolves to its exit status, 128 + signal where one ended
 * it. Rejects when it cannot be started.
 */
export function launchElectron(binary: string, appFolder: string, files: readonly string[]): Promise<number> {
  // Editors set this in their terminals: Electron would be a plain Node.
  const { ELECTRON_RUN_AS_NODE: _, ...environment } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [appFolder, ...files], { stdio: 'inherit', env: environment });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
