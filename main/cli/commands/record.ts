import { cpus, release } from 'node:os';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { type Recorded, type RecordOptions, recordProgram } from '../../../tracer/live/record.ts';
import { captureOptions } from '../capture-option.ts';
import type { Arguments } from '../command.ts';
import { tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { headerOf, orProblem, summarize } from '../program-result.ts';
import { SIDES } from '../sides.ts';
import { outputPath } from '../trace-output.ts';
import { VERSION } from '../version.ts';
import { msrsOf, ofKernel, runKernel, secondsOf } from './record-kernel.ts';

const USAGE = 'usage: hvrewind record -- CMD…, or hvrewind record --attach PID';

/** `hvrewind record`: records what a program says to the drivers; exits with its status, 0 where it was let go. */
export async function run(args: Arguments): Promise<number> {
  const hasKernel = args.flag('kernel');
  const isOfProgram = args.program.length > 0 || args.value('attach') !== undefined;
  if (args.flag('uprobe') || (hasKernel && !isOfProgram)) return runKernel(args);
  if (!hasKernel) refuseKernelOptions(args);
  const target = targetOf(args);
  const input = target.kind === 'launch' ? (target.command[0] ?? '') : '';
  const path = outputPath('record', args, '.hvtrace', input);
  const profile = args.value('profile');
  // What a kernel that runs holds when a recording begins in the middle is not known.
  const attached = target.kind === 'attach' ? { initial: 'unknown' } : {};
  const host = headerOf(
    hasKernel
      ? { kernel: 'unknown', initial: 'unknown', cpus: cpus().length }
      : { kernel: kernelOf(release()), ...attached },
  );
  const seconds = secondsOf(args.value('seconds'));
  if (seconds !== undefined && target.kind === 'launch')
    throw new Problem(
      'record: --seconds goes with --kernel alone or --attach; a program is recorded to its end',
    );
  const header = withProfile(host, profile);
  const options = {
    path,
    header,
    isKernelGiven: profile !== undefined && withProfile(headerOf({}), profile).given.kernel !== undefined,
    force: args.flag('force'),
    target,
    kept: captureOptions('record', args, header.profile),
    sides: SIDES,
    ...(hasKernel ? { kernel: { msrs: msrsOf(args.value('msr')) } } : {}),
    ...(seconds === undefined ? {} : { endMs: seconds * 1000 }),
    tool: VERSION,
    engine: ENGINE_VERSION,
    tell: (line: string) => tell(`hvrewind: ${line}`),
  };
  const result = orProblem('record', await recordProgram(options));
  summarize(args, path, result, lineOf(result));
  return result.status ?? EXIT.fine;
}

function lineOf({ events, dropped, status, lost, failure, kernel }: Recorded): string {
  const end = status === undefined ? 'the program goes on' : `the program exited with ${status}`;
  const missing = lost === 0 ? '' : `; ${lost} events are missing`;
  const left = dropped === undefined ? '' : `, ${dropped} not kept`;
  return `${events} events${left}; ${end}${missing}${kernel === undefined ? '' : ofKernel(kernel)}${failure === undefined ? '' : `; ${failure}`}`;
}

function refuseKernelOptions(args: Arguments): void {
  if (args.value('msr') !== undefined) throw new Problem('record: --msr goes with --kernel');
}

function targetOf(args: Arguments): RecordOptions['target'] {
  const attach = args.value('attach');
  if (attach === undefined) {
    if (args.program.length === 0) throw new Problem(`record: no program; ${USAGE}`);
    return { kind: 'launch', command: args.program, keepAlive: args.flag('keep-alive') };
  }
  if (args.program.length > 0) throw new Problem(`record: --attach takes no program; ${USAGE}`);
  if (!/^[1-9][0-9]{0,9}$/.test(attach))
    throw new Problem(`record: --attach ${JSON.stringify(attach)}: expected the id of a process`);
  return { kind: 'attach', pid: Number(attach) };
}

/** The kernel of the profile that is nearest to a release of Linux. */
function kernelOf(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  if (major > 7 || (major === 7 && minor >= 2)) return 'upstream-7.2';
  return major === 7 ? 'upstream-7.0' : 'upstream-6.16';
}
