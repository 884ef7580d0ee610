import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseProfile } from '../../../engine/trace/profile-read.ts';
import { Party, startThread } from '../../process/party.ts';
import { descriptorLimit } from '../../process/program.ts';
import { emulate } from '../emulate.ts';
import { windowUnder } from '../filter/window.ts';
import { CONTROL, type LauncherData, type LauncherMessage } from '../launcher/messages.ts';
import type { ClientResult, Measured } from './client.ts';

/** The folder whose threads these are. */
const EMULATE = new URL('../emulate.ts', import.meta.url).href;

/** What emulation costs beside the bare loop, in one run. */
export interface EmulateBench {
  /** An ioctl that the kernel refuses at once. */
  readonly plain: Measured;
  /** An ioctl with a payload, answered by a loop that does nothing else. */
  readonly bare: Measured;
  /** The same call answered by the engine and recorded. */
  readonly call: Measured;
  /** MSHV_RUN_VP to the next exit of a guest, recorded. */
  readonly exit: Measured;
  /** The same of the first exits. */
  readonly firstExits: Measured;
  readonly eventsPerSecond: number;
  readonly bytesPerEvent: number;
  /** Processor time of the emulating process, its start included. */
  readonly cpuUsPerEvent: number;
}

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

/** The client that is measured; what it measured goes to the file `result`. */
export function clientCommand(rounds: number, result: string): readonly string[] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', CLIENT, String(rounds), result];
}

/** Runs the client `rounds` times each way; the value says why where emulation is not possible. */
export async function benchEmulation(rounds: number): Promise<EmulateBench | string> {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-bench-'));
  try {
    const result = join(folder, 'result.json');
    const command = clientCommand(rounds, result);
    const read = parseProfile({});
    if ('problem' in read) throw new Error(read.problem.message);
    const path = join(folder, 'trace.hvtrace');
    const header = { profile: read.profile, given: {} };
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    const ran = await emulate({
      path,
      header,
      force: true,
      command,
      tool: 'bench',
      engine: 'bench',
      kept: {},
      tell: () => {},
    });
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - began) / 1000;
    if ('text' in ran) return ran.text;
    const { call, exit, firstExits } = JSON.parse(readFileSync(result, 'utf8')) as ClientResult;
    if (exit === undefined || firstExits === undefined) throw new Error('the client found no device');
    const bare = await underBareLoop(command, result);
    if (bare === undefined) return 'seccomp notification is not permitted here';
    return {
      plain: bare.plain,
      bare: bare.call,
      call,
      exit,
      firstExits,
      eventsPerSecond: ran.events / seconds,
      cpuUsPerEvent: (user + system) / ran.events,
      bytesPerEvent: statSync(path).size / ran.events,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function underBareLoop(command: readonly string[], result: string): Promise<ClientResult | undefined> {
  const window = windowUnder(descriptorLimit());
  if (window === undefined) return undefined;
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
  const loop = startThread(EMULATE, 'bench', control);
  const environment = Object.entries(process.env).map(([key, value]) => `${key}=${value}`);
  const data: LauncherData = { window, path: process.execPath, argv: command, environment, control };
  const launcher = new Party<LauncherMessage>('launcher', startThread(EMULATE, 'launcher', data));
  for (;;) {
    const said = await launcher.next();
    if (said.kind === 'failed') {
      await loop.terminate();
      return undefined;
    }
    if (said.kind === 'ended') return JSON.parse(readFileSync(result, 'utf8')) as ClientResult;
  }
}
