import type { Seq } from '../../../engine/trace/position.ts';
import { Clock, fractionNs } from '../clock.ts';
import { splitArguments } from './arguments.ts';
import { closedOnExec, type FileCall, fileCall } from './calls.ts';
import type { CallContext } from './context.ts';
import { Handles } from './handles.ts';
import { ioctlCall } from './ioctl.ts';
import { type CallResult, type LineTime, parseStraceLine, type StraceLine } from './line.ts';
import { cloneFlags, isClone, Processes } from './processes.ts';

/** A thread's call that a line left open. */
interface Open {
  readonly name: string;
  readonly args: readonly string[];
  /** The event that stands for it; undefined for what is written at its return. */
  readonly seq: Seq | undefined;
  readonly entered: number;
}

/** Reads the lines of strace one by one and gives what they say to an emitter. Any text is taken. */
export class StraceReader {
  readonly #context: CallContext;
  readonly #processes = new Processes();
  readonly #clock = new Clock();
  readonly #open = new Map<number | undefined, Open>();
  #now = 0;
  #timed = false;

  constructor(context: Omit<CallContext, 'handles'>) {
    this.#context = { ...context, handles: new Handles() };
  }

  /** What the times of the text are, in words. */
  get times(): string {
    if (!this.#timed) return 'the text has no times: the order of events is that of its lines';
    const { base } = this.#clock;
    return base === undefined
      ? 'times are sums of those since the line before'
      : `times count from ${base} of the text's clock`;
  }

  /** Takes a line. `fileTid`: the thread of the file that it stands in (`-ff`), for lines that name none. */
  line(text: string, fileTid?: number): void {
    const parsed = parseStraceLine(text);
    const line = { ...parsed, tid: parsed.tid ?? fileTid };
    const t = this.#time(line.time);
    const { body, tid } = line;
    switch (body.kind) {
      case 'call':
        this.#call(tid, body.name, body.args, body.result, t);
        return;
      case 'unfinished':
        this.#unfinished(tid, body.name, body.args, t);
        return;
      case 'resumed':
        this.#resumed(tid, body.name, body.result, t, text);
        return;
      default:
        this.#said(line, body.kind, body.text, t);
    }
  }

  /** Says which calls never returned in this text. */
  finish(): void {
    for (const [tid, open] of this.#open)
      if (open.seq !== undefined)
        this.#context.emitter.note(`${open.name} did not return in this text`, this.#now, this.#actor(tid));
  }

  #time(time: LineTime): number {
    if (time === undefined) return this.#now;
    this.#timed = true;
    if (time.kind === 'since') this.#now += time.seconds * 1_000_000_000 + fractionNs(time.fraction);
    else if (time.kind === 'day') this.#now = this.#clock.atTimeOfDay(time.seconds, time.fraction);
    else this.#now = this.#clock.at(time.seconds, time.fraction);
    this.#now = Math.min(this.#now, Number.MAX_SAFE_INTEGER);
    return this.#now;
  }

  #actor(tid: number | undefined): { readonly pid?: number; readonly tid?: number } {
    const { pid } = this.#processes.of(tid);
    return { ...(pid === undefined ? {} : { pid }), ...(tid === undefined ? {} : { tid }) };
  }

  #call(tid: number | undefined, name: string, text: string, result: CallResult, t: number): void {
    if (isClone(name)) {
      this.#processes.cloned(tid, childOf(result), cloneFlags(text));
      this.#context.tally.other(name);
      return;
    }
    if (name !== 'ioctl') {
      this.#fileCall(tid, name, splitNeeded(name, text), result, t);
      return;
    }
    const args = splitArguments(text);
    const process = this.#processes.of(tid);
    const call = ioctlCall(this.#context, process, args, result);
    if (call === 'other') this.#context.tally.other('ioctl');
    else if (call === 'named')
      this.#context.tally.unreadable('a request by name (use strace -X raw)', text, t);
    else {
      const { durationNs } = result;
      const tEnd = durationNs === undefined ? undefined : t + durationNs;
      this.#context.emitter.add({ ...this.#actor(tid), ...call.body, ...call.answer }, t, tEnd);
      call.opened?.(process);
    }
  }

  #fileCall(
    tid: number | undefined,
    name: string,
    args: readonly string[],
    result: CallResult,
    t: number,
  ): void {
    const process = this.#processes.of(tid);
    const call: FileCall | undefined = fileCall(this.#context, process, name, args, result);
    if (call === undefined) this.#context.tally.other(name);
    else for (const body of call) this.#context.emitter.add({ ...this.#actor(tid), ...body }, t);
  }

  #unfinished(tid: number | undefined, name: string, text: string, t: number): void {
    const { emitter, tally } = this.#context;
    if (isClone(name)) {
      this.#processes.cloning(tid, cloneFlags(text));
      tally.other(name);
      return;
    }
    const args = name === 'ioctl' ? splitArguments(text) : splitNeeded(name, text);
    let seq: Seq | undefined;
    if (name === 'ioctl') {
      const call = ioctlCall(this.#context, this.#processes.of(tid), args, undefined);
      if (call === 'other') tally.other(name);
      else if (call === 'named') tally.unreadable('a request by name (use strace -X raw)', text, t);
      else seq = emitter.begin({ ...this.#actor(tid), ...call.body, ret: null }, t);
    }
    this.#open.set(tid, { name, args, seq, entered: t });
  }

  #resumed(tid: number | undefined, name: string, result: CallResult, t: number, line: string): void {
    const { emitter, tally } = this.#context;
    if (isClone(name)) {
      this.#processes.cloned(tid, childOf(result), undefined);
      tally.other(name);
      return;
    }
    const open = this.#open.get(tid);
    this.#open.delete(tid);
    if (open === undefined || open.name !== name) {
      // The call began before the text did: of a call on a file of ours nothing is known but its result.
      tally.unreadable('the end of a call whose beginning is not here', line, t);
      return;
    }
    if (name !== 'ioctl') {
      this.#fileCall(tid, name, open.args, result, t);
      return;
    }
    if (open.seq === undefined) return;
    const process = this.#processes.of(tid);
    const call = ioctlCall(this.#context, process, open.args, result);
    if (typeof call === 'string') return;
    const end = result.durationNs === undefined ? t : open.entered + result.durationNs;
    emitter.answer(open.seq, call.answer, this.#timed ? end : undefined);
    call.opened?.(process);
  }

  #said({ tid }: StraceLine, kind: string, text: string, t: number): void {
    const { emitter, tally } = this.#context;
    if (kind === 'unreadable') tally.unreadable('not a line of strace', text, t);
    else if (kind === 'exit') this.#ended(tid, text, t);
    else if (kind === 'signal' && this.#processes.of(tid).files.size > 0)
      emitter.note(`signal ${text}`, t, this.#actor(tid));
    else tally.other(WORDS[kind] ?? kind);
  }

  #ended(tid: number | undefined, text: string, t: number): void {
    const process = this.#processes.of(tid);
    const actor = this.#actor(tid);
    this.#open.delete(tid);
    const last = this.#processes.ended(tid);
    if (last && process.files.size > 0)
      this.#context.emitter.add({ ...actor, kind: 'lifecycle', what: 'process-exit', note: text }, t);
    else this.#context.tally.other('exits');
  }
}

const WORDS: Readonly<Record<string, string>> = {
  signal: 'signals',
  said: 'messages of strace',
  stack: 'stack lines',
  blank: 'blank lines',
};

/** The arguments of calls that are looked at; splitting those of all others would be most of the work. */
function splitNeeded(name: string, text: string): string[] {
  return closedOnExec(name) || FILE_CALLS.has(name) ? splitArguments(text) : [];
}

const FILE_CALLS = new Set(
  'open openat openat2 close dup dup2 dup3 fcntl mmap munmap eventfd eventfd2 close_range'.split(' '),
);

function childOf({ ret }: CallResult): number | undefined {
  return ret !== undefined && ret > 0n && ret <= 0x7fff_ffffn ? Number(ret) : undefined;
}
