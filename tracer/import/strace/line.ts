import { errnos } from '../../../engine/abi/index.ts';

/** When a line says it happened: a clock's time, or (`-r`) the time since the line before. */
export type LineTime =
  | { readonly kind: 'epoch' | 'day' | 'since'; readonly seconds: number; readonly fraction: string }
  | undefined;

/** How a call ended. `ret`: undefined where strace prints `?` and no errno. */
export interface CallResult {
  readonly ret: bigint | undefined;
  /** What stands behind the value: the name of an errno, the path of a descriptor. */
  readonly rest: string;
  readonly durationNs: number | undefined;
}

/** What stands behind pid and time. */
export type LineBody =
  | { readonly kind: 'call'; readonly name: string; readonly args: string; readonly result: CallResult }
  | { readonly kind: 'unfinished'; readonly name: string; readonly args: string }
  | { readonly kind: 'resumed'; readonly name: string; readonly result: CallResult }
  | { readonly kind: 'signal' | 'exit' | 'said' | 'stack' | 'blank' | 'unreadable'; readonly text: string };

/** A line of strace. */
export interface StraceLine {
  readonly tid: number | undefined;
  readonly time: LineTime;
  readonly body: LineBody;
}

/** `[pid 12]` (on a terminal) or `12` (with -o), with the command where `--decode-pids=comm` adds it. */
const PID = /^(?:\[pid\s+(\d+)(?:<[^>]*>)?\]|(\d+)(?:<[^>]*>)?)\s+/;
/** `-t`, `-tt` or `-ttt` with precision, and `(+ 0.1)` where -r stands beside them. */
const TIME =
  /^(?:(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?|(\d{1,12})\.(\d{1,9})|(\d{9,12}))(?:\s+\(\+\s*[\d.]+\))?\s+/;
/** `-n`: the number of the call; `-i`: the instruction pointer. */
const EXTRAS = /^(?:\[\s*\d+\]\s+)?(?:\[[0-9a-f?]{8,16}\]\s+)?/;
const CUT = /<(?:unfinished|detached) \.\.\.>$/;
const RESUMED = /^<\.\.\. (.+?) resumed>(.*)$/s;
const NAME = /^([a-z_][\w$]*)\(/;
const RESULT = /^\)\s+= (-?\d+|0x[0-9a-f]+|\?)(.*)$/s;
const DURATION = / <(\d{1,9})\.(\d{1,9}|\.\.\.)>$/;
/** Seconds of the epoch have ten digits; those of -r are few. */
const EPOCH_FROM = 100_000_000;

/** Reads pid, time and what was called. Any text is taken; what fits nothing is `unreadable`. */
export function parseStraceLine(line: string): StraceLine {
  let rest = line;
  let tid: number | undefined;
  const pid = PID.exec(rest);
  if (pid !== null) {
    tid = Number(pid[1] ?? pid[2]);
    rest = rest.slice(pid[0].length);
  } else rest = rest.trimStart();
  const time = TIME.exec(rest);
  if (time !== null) rest = rest.slice(time[0].length);
  rest = rest.slice(EXTRAS.exec(rest)?.[0].length ?? 0);
  // Only a thread's own lines have a pid that means something.
  return {
    tid: tid !== undefined && tid <= 0x7fff_ffff ? tid : undefined,
    time: time === null ? undefined : timeOf(time),
    body: bodyOf(rest, line),
  };
}

function timeOf([, h, m, s, dayFraction, seconds, fraction, whole]: RegExpExecArray): LineTime {
  if (h !== undefined)
    return {
      kind: 'day',
      seconds: Number(h) * 3600 + Number(m) * 60 + Number(s),
      fraction: dayFraction ?? '',
    };
  const value = Number(seconds ?? whole);
  return { kind: value >= EPOCH_FROM ? 'epoch' : 'since', seconds: value, fraction: fraction ?? '' };
}

function bodyOf(text: string, line: string): LineBody {
  if (text.startsWith('<... ')) return resumedOf(text, line);
  if (text.startsWith('--- ')) return { kind: 'signal', text: text.replace(/^--- | ---$/g, '') };
  if (text.startsWith('+++ ')) return { kind: 'exit', text: text.replace(/^\+\+\+ | \+\+\+$/g, '') };
  if (text.startsWith('strace: ')) return { kind: 'said', text: text.slice('strace: '.length) };
  if (text.startsWith('> ')) return { kind: 'stack', text };
  if (text.trim() === '') return { kind: 'blank', text };
  const named = NAME.exec(text);
  if (named === null) return { kind: 'unreadable', text: line };
  const [open, name = ''] = named;
  const cut = text.endsWith(' ...>') ? CUT.exec(text) : null;
  if (cut !== null)
    return { kind: 'unfinished', name, args: text.slice(open.length, cut.index).replace(/, ?$/, '').trim() };
  const found = lastResult(text);
  if (found === undefined) return { kind: 'unreadable', text: line };
  return { kind: 'call', name, args: text.slice(open.length, found.end), result: found.result };
}

function resumedOf(text: string, line: string): LineBody {
  const [, name = '', rest = ''] = RESUMED.exec(text) ?? [];
  const found = lastResult(rest);
  if (found === undefined) return { kind: 'unreadable', text: line };
  return { kind: 'resumed', name, result: found.result };
}

/** The result is what stands behind the last `) =`: strings among the arguments may hold others. */
function lastResult(text: string): { readonly end: number; readonly result: CallResult } | undefined {
  for (let from = text.length, tries = 0; tries < 4; tries += 1) {
    const equals = text.lastIndexOf(' = ', from);
    if (equals < 0) return undefined;
    const end = text.lastIndexOf(')', equals);
    if (end < 0) return undefined;
    const match = RESULT.exec(text.slice(end));
    if (match !== null) {
      const [, value = '', rest = ''] = match;
      return { end, result: resultOf(value, rest) };
    }
    from = equals - 1;
  }
  return undefined;
}

function resultOf(value: string, tail: string): CallResult {
  const duration = DURATION.exec(tail);
  const rest = (duration === null ? tail : tail.slice(0, duration.index)).trim();
  const [, seconds = '0', fraction = ''] = duration ?? [];
  const durationNs =
    duration === null || fraction === '...'
      ? undefined
      : Number(seconds) * 1_000_000_000 + Number(fraction.padEnd(9, '0'));
  return { ret: retOf(value, rest), rest, durationNs };
}

/** The value that the kernel returned: `-1 EINTR` is -4, `? ERESTARTSYS` -512 (the call is restarted or becomes EINTR). */
function retOf(value: string, rest: string): bigint | undefined {
  const error = /^(?:(E[A-Z0-9_]+)\b|\(errno (\d{1,4})\))/.exec(rest);
  if (error !== null && (value === '-1' || value === '?')) {
    const number = error[1] === undefined ? Number(error[2]) : errnos.named(error[1])?.value;
    if (number !== undefined) return BigInt(-number);
  }
  return value === '?' ? undefined : BigInt(value);
}
