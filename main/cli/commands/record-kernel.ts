import { cpus } from 'node:os';
import { type MsrRange, parseMsrRanges } from '../../../tracer/live/kernel/msr-ranges.ts';
import { type KernelRecorded, recordKernel } from '../../../tracer/live/kernel/record.ts';
import type { Arguments } from '../command.ts';
import { tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { headerOf, summarize } from '../program-result.ts';
import { record } from '../recording.ts';
import { outputPath } from '../trace-output.ts';

const MAX_SECONDS = 1_000_000;

/** `hvrewind record --kernel`: records what the kernel does, for some seconds or until Ctrl-C; exits 0. */
export async function runKernel(args: Arguments): Promise<number> {
  if (args.program.length > 0 || args.value('attach') !== undefined)
    throw new Problem('record: --kernel records the whole machine: no program, no --attach');
  const msrs = msrsOf(args.value('msr'));
  const seconds = secondsOf(args.value('seconds'));
  const path = outputPath('record', args, '.hvtrace', 'kernel');
  const host = headerOf({ kernel: 'unknown', initial: 'unknown', cpus: cpus().length });
  const header = withProfile(host, args.value('profile'));
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const options = { force: args.flag('force'), how: 'tracefs' };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  try {
    const recorded = await record('record', path, header, options, async (writer) => {
      const result = await recordKernel(writer, {
        msrs,
        signal: stop.signal,
        onStart: (lacks) => {
          for (const line of lacks) tell(`hvrewind: this kernel lacks ${line}`);
          if (seconds !== undefined) setTimeout(end, seconds * 1000).unref();
        },
      });
      if ('text' in result) throw new Problem(`record: ${result.text}; ${result.remedy}`, EXIT.environment);
      return result;
    });
    summarize(args, path, recorded, lineOf(recorded));
    return EXIT.fine;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end);
  }
}

function lineOf({ events, lost, badBytes }: KernelRecorded): string {
  const missing = lost === 0 ? '' : `; ${lost} were lost in the kernel`;
  return `${events} events${missing}${badBytes === 0 ? '' : `; ${badBytes} bytes were no record`}`;
}

function msrsOf(text: string | undefined): readonly MsrRange[] {
  if (text === undefined) return [];
  const ranges = parseMsrRanges(text);
  if (ranges === undefined)
    throw new Problem(`record: --msr ${JSON.stringify(text)}: expected MSRs like 0x6e0,0x800-0x83f`);
  return ranges;
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,7}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0 || seconds > MAX_SECONDS)
    throw new Problem(`record: --seconds ${JSON.stringify(text)}: expected a number of seconds`);
  return seconds;
}
