/** When a line says it happened, in its clock: `812.004311`, or a counter without a dot. */
export interface TraceTime {
  readonly whole: string;
  /** Undefined where the clock is a counter. */
  readonly fraction: string | undefined;
}

/** One record of the kernel as text. */
export interface TraceRecord {
  readonly kind: 'record';
  readonly command: string | undefined;
  readonly tid: number | undefined;
  /** The process, where the text tells it from the thread (record-tgid). */
  readonly pid: number | undefined;
  readonly cpu: number | undefined;
  readonly time: TraceTime;
  /** Name of the event without its system. */
  readonly name: string;
  readonly text: string;
}

/** What a line of a tracer is. */
export type TraceLine =
  | TraceRecord
  /** A function of the stack that was begun last, else of the record before. */
  | { readonly kind: 'stack'; readonly symbol: string }
  /** A stack begins: of the last record of that thread on that CPU, behind which records of other CPUs may stand. */
  | {
      readonly kind: 'stack-of';
      readonly cpu: number | undefined;
      readonly tid: number | undefined;
      /** Its first function, where that stands in the same line (trace-cmd). */
      readonly symbol: string | undefined;
    }
  | { readonly kind: 'lost'; readonly cpu: number | undefined; readonly lost: number | undefined }
  /** A line of the kernel's log that is no record. */
  | {
      readonly kind: 'message';
      readonly cpu: number | undefined;
      readonly tid: number | undefined;
      readonly time: TraceTime;
      readonly text: string;
    }
  | { readonly kind: 'header' | 'blank' | 'unreadable' };

const TIME = '(\\d{1,15})(?:\\.(\\d{1,9}))?';
/**
 * Linux 7.2 kernel/trace/trace_output.c, trace_print_context; libtraceevent prints the same without the flags or with them, and as
 * `trace-cmd report -l` the CPU and the flags as one word.
 */
const TASK = new RegExp(
  `^\\s*(\\S.{0,63}?)-(\\d{1,10})\\s+(?:\\(\\s{0,8}([\\d-]{1,10})\\)\\s+)?(?:\\[(\\d{3,5})\\]\\s+(?:[^\\s:]{4,8}\\s+)?|(\\d{1,5})[^\\s:\\d][^\\s:]{3,7}\\s+)${TIME}:\\s+(.*)$`,
);
/** trace-cmd names the buffer of an instance; a command alone is padded to 16 of its at most 15 characters, so never begins a line. */
const BUFFER = /^[^\s:]{1,64}: {2,}(?=\S)/;
/** perf script with its usual columns; the thread alone or as pid/tid. */
const PERF = new RegExp(
  `^\\s*(\\S.{0,63}?)\\s+(?:(\\d{1,10})/)?(\\d{1,10})\\s+(?:\\[(\\d{3,5})\\]\\s+)?(?:[^\\s:]{4,8}\\s+)?${TIME}:\\s+(?:\\d{1,15}\\s+)?(.*)$`,
);
/** A line of the log, behind what syslog or the journal put before it. Linux 7.2 kernel/printk/printk.c, print_caller. */
const LOG = new RegExp(
  `^(?:.{0,80} kernel: )?(?:<\\d{1,3}>)?\\[\\s{0,12}${TIME}\\](?:\\[\\s{0,8}([TC])(\\d{1,10})\\])?\\s?(.*)$`,
);
const EVENT = /^((?:[A-Za-z_][\w-]{0,63}:)?)([A-Za-z_]\w{0,127}):\s?(.*)$/;
const LOST = /^\s*CPU:\s?(\d{1,5}) \[(?:LOST )?(\d{1,15})? ?EVENTS(?: DROPPED)?\]\s*$/;
const FTRACE_STACK = /^\s*=> ([\w.]{1,128})/;
const STACK_BEGINS = /^(?:<stack trace|kernel_stack:)(?:\s*=> ([\w.]{1,128}))?/;
const PERF_STACK = /^\s+[0-9a-f]{4,16} ([\w.[\]]{1,128})/;

type Split = (line: string) => TraceLine | undefined;

/** Reads a line of `trace`, `trace_pipe` or `trace-cmd report`. */
export function parseTaskLine(line: string): TraceLine {
  return common(line, (text) => {
    const match = TASK.exec(text.replace(BUFFER, ''));
    if (match === null) return undefined;
    const [, command, tid, tgid, cpu, bare, whole = '', fraction, rest = ''] = match;
    return recordOf(command, tid, tgid, cpu ?? bare, { whole, fraction }, rest);
  });
}

/** Reads a line of `perf script`. */
export function parsePerfLine(line: string): TraceLine {
  return common(line, (text) => {
    const match = PERF.exec(text);
    if (match === null) return undefined;
    const [, command, pid, tid, cpu, whole = '', fraction, rest = ''] = match;
    return recordOf(command, tid, pid, cpu, { whole, fraction }, rest);
  });
}

/** Reads a line of the kernel's log, as the console, dmesg or syslog has it. */
export function parseLogLine(line: string): TraceLine {
  if (line.trim() === '') return { kind: 'blank' };
  const match = LOG.exec(line);
  if (match === null) return { kind: 'unreadable' };
  const [, whole = '', fraction, who, id, text = ''] = match;
  const time = { whole, fraction };
  const [tid, cpu] = [who === 'T' ? idOf(id) : undefined, who === 'C' ? idOf(id) : undefined];
  const event = EVENT.exec(text);
  const [, , name = '', rest = ''] = event ?? [];
  if (event !== null && !/\s/.test(name) && looksLikeEvent(name))
    return { kind: 'record', command: undefined, tid, pid: undefined, cpu, time, name, text: rest };
  return { kind: 'message', cpu, tid, time, text };
}

/** Messages of drivers begin as events do (`hv_vmbus: …`): names of events have a verb or are those of probes. */
function looksLikeEvent(name: string): boolean {
  return /_/.test(name) || /^[a-z]\w*$/.test(name);
}

function common(line: string, split: Split): TraceLine {
  if (line.startsWith('#')) return { kind: 'header' };
  const stack = FTRACE_STACK.exec(line) ?? PERF_STACK.exec(line);
  const lost = LOST.exec(line);
  if (lost !== null)
    return { kind: 'lost', cpu: idOf(lost[1]), lost: lost[2] === undefined ? undefined : Number(lost[2]) };
  const read = split(line);
  if (read !== undefined) return read;
  if (stack !== null) return { kind: 'stack', symbol: stack[1] ?? '' };
  if (line.trim() === '') return { kind: 'blank' };
  return { kind: /^(?:cpus=|version = |trace-cmd)/.test(line) ? 'header' : 'unreadable' };
}

function recordOf(
  command: string | undefined,
  tid: string | undefined,
  pid: string | undefined,
  cpu: string | undefined,
  time: TraceTime,
  rest: string,
): TraceLine | undefined {
  const stack = STACK_BEGINS.exec(rest);
  if (stack !== null) return { kind: 'stack-of', cpu: idOf(cpu), tid: idOf(tid), symbol: stack[1] };
  const event = EVENT.exec(rest);
  if (event === null) return undefined;
  const [, , name = '', text = ''] = event;
  return { kind: 'record', command, tid: idOf(tid), pid: idOf(pid), cpu: idOf(cpu), time, name, text };
}

function idOf(text: string | undefined): number | undefined {
  const id = text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  return id !== undefined && id <= 0x7fff_ffff ? id : undefined;
}
