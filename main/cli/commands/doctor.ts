import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { emulationHere } from '../../../tracer/emulate/able.ts';
import { electronBinary } from '../../desktop/binary.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT } from '../problem.ts';
import { VERSION } from '../version.ts';

/** One thing that was looked at; `ok` undefined: nothing to judge. */
interface Look {
  readonly what: string;
  readonly ok?: boolean;
  readonly found: string;
  /** What to do where it is missing. */
  readonly remedy?: string;
}

/** `hvrewind doctor`: what this machine can do. Always exits 0: what is missing is what it was asked for. */
export async function run(args: Arguments): Promise<number> {
  const looks = [versions(), sqlite(), device(), emulation(), tracing(), electron()];
  if (args.flag('json')) {
    await printJson({ version: VERSION, engine: ENGINE_VERSION, looks });
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
  await print(
    'Nothing here was ever run on a Microsoft hypervisor: what it says of one comes from public sources.\n',
  );
  return EXIT.fine;
}

function versions(): Look {
  return {
    what: 'program',
    ok: true,
    found: `hvrewind ${VERSION}, engine ${ENGINE_VERSION}, Node ${process.versions.node}`,
  };
}

function sqlite(): Look {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3') as new (
      path: string,
    ) => {
      prepare(sql: string): { pluck(): { get(): unknown } };
      close(): void;
    };
    const db = new Database(':memory:');
    const version = db.prepare('SELECT sqlite_version()').pluck().get();
    db.close();
    return { what: 'trace files', ok: true, found: `SQLite ${String(version)}` };
  } catch (error) {
    return {
      what: 'trace files',
      ok: false,
      found: (error as Error).message.split('\n')[0] ?? 'not loadable',
      remedy: 'run npm ci on this machine',
    };
  }
}

function device(): Look {
  if (!existsSync('/dev/mshv')) {
    return {
      what: 'Microsoft hypervisor',
      ok: false,
      found: 'no /dev/mshv: this kernel does not run on it, or mshv_root is not loaded',
    };
  }
  return readable('/dev/mshv')
    ? { what: 'Microsoft hypervisor', ok: true, found: '/dev/mshv' }
    : {
        what: 'Microsoft hypervisor',
        ok: false,
        found: '/dev/mshv',
        remedy: 'not accessible to this user; it belongs to root',
      };
}

function emulation(): Look {
  return { what: 'emulation', ...emulationHere() };
}

function tracing(): Look {
  const root = '/sys/kernel/tracing/events';
  if (!readable(root))
    return {
      what: 'kernel trace points',
      ok: false,
      found: 'tracefs is not readable',
      remedy: 'root reads it',
    };
  const groups = ['mshv', 'msr', 'hyperv'].filter((group) => existsSync(`${root}/${group}`));
  return {
    what: 'kernel trace points',
    ok: groups.length > 0,
    found: groups.length === 0 ? 'none of mshv, msr, hyperv' : groups.join(', '),
  };
}

function electron(): Look {
  const binary = electronBinary(process.env);
  if (binary !== undefined) return { what: 'Electron', ok: true, found: binary };
  return {
    what: 'Electron',
    ok: false,
    found: 'no binary',
    remedy: 'npm run electron:install fetches it; serve needs only a browser',
  };
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
