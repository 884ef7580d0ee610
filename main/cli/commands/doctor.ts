import { existsSync, writeFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import type { Arguments } from '../command.ts';
import { bundleOf } from '../doctor/bundle.ts';
import { Host } from '../doctor/host.ts';
import type { Look } from '../doctor/look.ts';
import { looksAt } from '../doctor/looks.ts';
import { print, printJson, table, tell } from '../output.ts';
import { EXIT, firstLine, Problem } from '../problem.ts';
import { VERSION } from '../version.ts';

const NEVER_RUN =
  'Nothing here was ever run on a Microsoft hypervisor: what it says of one comes from public sources.';

/** `hvrewind doctor`: what this machine can do. Always exits 0: what is missing is what it was asked for. */
export async function run(args: Arguments): Promise<number> {
  const host = new Host();
  const looks = looksAt(host, '.');
  const path = args.value('bundle');
  if (path !== undefined) writeBundle(path, args.flag('force'), host, looks);
  if (args.flag('json')) {
    await printJson({ version: VERSION, engine: ENGINE_VERSION, looks, everRunOnMicrosoftHypervisor: false });
    return EXIT.fine;
  }
  await print(
    table(
      looks.map(({ what, ok, found, remedy }) => [
        ok === undefined ? '-' : ok ? 'yes' : 'no',
        what,
        remedy === undefined ? found : `${found}; ${remedy}`,
      ]),
    ),
  );
  await print(`${NEVER_RUN}\n`);
  return EXIT.fine;
}

function writeBundle(path: string, force: boolean, host: Host, looks: readonly Look[]): void {
  if (!force && existsSync(path)) throw new Problem(`doctor: ${path} exists; --force replaces it`);
  const folders = [process.cwd(), resolve(import.meta.dirname, '../../..')];
  const secrets = { host: hostname(), user: userInfo().username, home: homedir(), folders };
  const text = `${JSON.stringify(bundleOf(host, looks, secrets), undefined, 2)}\n`;
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Problem(`doctor: ${path}: ${firstLine(error)}`);
  }
  tell(`${path}: ${text.length} bytes; "about" in it lists its contents. Read it before you send it.`);
}
