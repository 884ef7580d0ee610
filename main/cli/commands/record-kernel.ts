import { spawn } from 'node:child_process';
import { constants, cpus } from 'node:os';
import { captureFilterOf } from '../../../engine/filter/capture.ts';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { type MsrRange, parseMsrRanges } from '../../../tracer/live/kernel/msr-ranges.ts';
import { type KernelRecorded, recordKernel } from '../../../tracer/live/kernel/record.ts';
import { openTarget } from '../../../tracer/live/target.ts';
import type { Family } from '../../../tracer/live/uprobe/ioctl-probe.ts';
import { onEnding } from '../../../tracer/process/signals.ts';
import { midLife } from '../../../tracer/sink/filtered.ts';
import { UntilSink } from '../../../tracer/sink/until.ts';
import { abiNames, isProblem, TraceFileError, TraceWriter } from '../../../tracer/store/index.ts';
import { captureOptions } from '../capture-option.ts';
import type { Arguments } from '../command.ts';
import { tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { headerOf, summarize } from '../program-result.ts';
import { SIDES } from '../sides.ts';
import { outputPath } from '../trace-output.ts';
import { VERSION } from '../version.ts';

const MAX_SECONDS = 1_000_000;

/**
 * `hvrewind record --kernel` without a program, and `--uprobe`: records what the kernel does, what a program says to the drivers (by
 * uprobes), or both in one order, for some seconds, until Ctrl-C, or until the program that it starts has ended; exits with its status, else 0.
 */
export async function runKernel(args: Arguments): Promise<number> {
  const attach = args.value('attach');
  const pid = attach === undefined ? undefined : processOf(attach);
  const family = familyOf(args.program, pid);
  if (!args.flag('kernel') && family === undefined)
    throw new Problem('record: --uprobe needs a program after --, or --attach PID');
  const msrs = msrsOf(args.value('msr'));
  const seconds = secondsOf(args.value('seconds'));
  const path = outputPath('record', args, '.hvtrace', 'kernel');
  const host = headerOf({ kernel: 'unknown', initial: 'unknown', cpus: cpus().length });
  const whole = withProfile(host, args.value('profile'));
  const kept = captureOptions('record', args, whole.profile);
  const header = kept.filter === undefined ? whole : midLife(whole);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const started = new Started();
  const target = openTarget({
    ...{ path, header, present: () => header, kept, sides: SIDES },
    create: (file, own) =>
      TraceWriter.create(file, own, {
        force: args.flag('force'),
        names: abiNames(own.profile),
        tool: VERSION,
        engine: ENGINE_VERSION,
        start: new Date().toISOString(),
        capture: { how: 'tracefs', ...kept },
      }),
    tell: (line) => tell(`hvrewind: ${line}`),
  });
  if (isProblem(target)) throw new Problem(`record: ${target.text}`);
  const until =
    kept.until === undefined
      ? undefined
      : new UntilSink(target.sink, captureFilterOf(kept.until, header.profile), end);
  const stopListening = onEnding(end);
  const copy = (): void => target.snapshot();
  if (kept.ring !== undefined) process.on('SIGUSR2', copy);
  try {
    const result = await recordKernel(until ?? target.sink, {
      kernel: args.flag('kernel'),
      msrs,
      signal: stop.signal,
      tick: () => target.tick(),
      ...(family === undefined ? {} : { ioctlsOf: family }),
      onStart: (lacks) => {
        for (const line of lacks) tell(`hvrewind: this kernel lacks ${line}`);
        if (args.program.length > 0) void started.start(args.program).finally(end);
        if (seconds !== undefined) setTimeout(end, seconds * 1000).unref();
      },
    });
    if ('text' in result) throw new Problem(`record: ${result.text}; ${result.remedy}`, EXIT.environment);
    target.close(until?.isOver ?? false);
    const { events, dropped } = target;
    const recorded = { ...result, events, ...(dropped === 0 ? {} : { dropped }) };
    summarize(args, path, recorded, lineOf(recorded));
    await started.ended;
    return started.status;
  } catch (error) {
    if (!(error instanceof TraceFileError)) {
      target.abort();
      throw error;
    }
    target.close(true);
    throw new Problem(`record: ${error.message}; what was written until then is kept`, EXIT.environment);
  } finally {
    stopListening();
    process.off('SIGUSR2', copy);
  }
}

/** The program that is recorded, if one is started. */
class Started {
  /** As a shell says it; 0 before it has ended. */
  status: number = EXIT.fine;
  ended: Promise<void> = Promise.resolve();

  start([name = '', ...words]: readonly string[]): Promise<void> {
    this.ended = new Promise((done) => {
      const child = spawn(name, words, { stdio: 'inherit' });
      child.on('error', ({ message }) => {
        tell(`hvrewind: record: ${message}`);
        this.status = EXIT.usage;
        done();
      });
      child.on('exit', (status, signal) => {
        this.status = status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
        done();
      });
    });
    return this.ended;
  }
}

function processOf(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new Problem(`record: --attach ${JSON.stringify(text)}: expected the id of a process`);
  return Number(text);
}

function familyOf(program: readonly string[], pid: number | undefined): Family | undefined {
  if (program.length > 0 && pid !== undefined) throw new Problem('record: --attach takes no program');
  if (program.length > 0) return { kind: 'children', of: process.pid };
  return pid === undefined ? undefined : { kind: 'process', pid };
}

/** What of the kernel's own events is missing. */
export function ofKernel({ lost, badBytes }: Pick<KernelRecorded, 'lost' | 'badBytes'>): string {
  const missing = lost === 0 ? '' : `; ${lost} were lost in the kernel`;
  return `${missing}${badBytes === 0 ? '' : `; ${badBytes} bytes were no record`}`;
}

function lineOf(recorded: KernelRecorded & { readonly dropped?: number }): string {
  const { events, dropped } = recorded;
  const left = dropped === undefined ? '' : `, ${dropped} not kept`;
  return `${events} events${left}${ofKernel(recorded)}`;
}

/** `--msr`. */
export function msrsOf(text: string | undefined): readonly MsrRange[] {
  if (text === undefined) return [];
  const ranges = parseMsrRanges(text);
  if (ranges === undefined)
    throw new Problem(`record: --msr ${JSON.stringify(text)}: expected MSRs like 0x6e0,0x800-0x83f`);
  return ranges;
}

/** `--seconds`. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,7}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0 || seconds > MAX_SECONDS)
    throw new Problem(`record: --seconds ${JSON.stringify(text)}: expected a number of seconds`);
  return seconds;
}
