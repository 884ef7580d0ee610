import type { Seq } from '../../../engine/trace/position.ts';
import { componentOf } from '../../live/kernel/attribution.ts';
import { WritesUnseen } from '../../live/kernel/writes-unseen.ts';
import type { Actor, Emitter, EventBody } from '../../sources/emitter.ts';
import { Meanings } from '../../sources/kernel/meanings.ts';
import type { Told } from '../../sources/kernel/told.ts';
import { Clock } from '../clock.ts';
import type { FormReader } from '../form.ts';
import type { Tally } from '../tally.ts';
import { knownRecord } from './fields.ts';
import type { TraceLine, TraceRecord, TraceTime } from './line.ts';
import { uncheckedAccess } from './log.ts';

/** Frames of a stack that are looked at. */
const MAX_FRAMES = 32;
/** Calls without a return that are kept waiting for it. */
const MAX_OPEN = 1 << 16;
/** Records that wait for their stacks: other CPUs write few between a record and its stack, some microseconds later. */
const MAX_HELD = 256;

interface Held {
  readonly record: TraceRecord;
  readonly line: string;
  readonly t: number;
  readonly stack: string[];
  /** No function of its stack may come any more. */
  isWhole: boolean;
}

/** Reads the lines of a tracer of the kernel and gives what they say to an emitter. Any text is taken. */
export class TraceReader implements FormReader {
  readonly #emitter: Emitter;
  readonly #tally: Tally;
  readonly #parse: (line: string) => TraceLine;
  readonly #meanings = new Meanings({ hasIoctls: false, hasHypercalls: false });
  readonly #unseen = new WritesUnseen();
  readonly #clock = new Clock();
  readonly #open = new Map<string, Seq>();
  /** The last records, oldest first, until it is known of each that nothing of its stack follows. */
  #held: Held[] = [];
  /** Whose stack the next functions are. */
  #growing: Held | undefined;
  #counted = false;

  constructor(emitter: Emitter, tally: Tally, parse: (line: string) => TraceLine) {
    this.#emitter = emitter;
    this.#tally = tally;
    this.#parse = parse;
  }

  line(text: string): void {
    const line = this.#parse(text);
    if (line.kind === 'stack' || line.kind === 'stack-of') {
      if (line.kind === 'stack-of') this.#growing = this.#held.findLast(({ record }) => isOf(record, line));
      const stack = this.#growing?.stack;
      if (line.symbol !== undefined && stack !== undefined && stack.length < MAX_FRAMES)
        stack.push(line.symbol);
      this.#tally.other('stack lines');
      return;
    }
    if (line.kind === 'header' || line.kind === 'blank') {
      this.#tally.other(`${line.kind} lines`);
      return;
    }
    if (line.kind === 'record') {
      this.#hold({ record: line, line: text, t: this.#at(line.time), stack: [], isWhole: false });
      return;
    }
    this.#release();
    if (line.kind === 'message') this.#message(line, this.#at(line.time));
    else if (line.kind === 'lost') this.#lost(line);
    else this.#tally.unreadable('not a line of this form', text, this.#emitter.now);
  }

  finish(): void {
    this.#release();
    const { base } = this.#clock;
    const t = this.#emitter.now;
    this.#warn(this.#unseen.end(), t);
    if (base !== undefined && !this.#counted)
      this.#tally.note(`times count from ${base} of the text's clock`, t);
    if (this.#counted) this.#tally.note('the clock of the text is a counter: a step of it stands as 1 ns', t);
  }

  #at({ whole, fraction }: TraceTime): number {
    if (fraction !== undefined) return this.#clock.at(Number(whole), fraction);
    this.#counted = true;
    const digits = whole.padStart(10, '0');
    return this.#clock.at(Number(digits.slice(0, -9)), digits.slice(-9));
  }

  #lost({ cpu, lost }: Extract<TraceLine, { kind: 'lost' }>): void {
    const where = cpu === undefined ? {} : { cpu };
    const count = lost === undefined ? {} : { lost };
    this.#emitter.add(
      { kind: 'mark', what: 'gap', ...where, ...count, text: 'lost by the tracer' },
      this.#emitter.now,
    );
  }

  /** From here on nothing may be inferred from a write that is not there. */
  #warn(text: string | undefined, t: number): void {
    if (text !== undefined) this.#emitter.add({ kind: 'mark', what: 'gap', text }, t);
  }

  #message({ text, cpu, tid }: Extract<TraceLine, { kind: 'message' }>, t: number): void {
    const actor = actorOf({ cpu, tid, pid: undefined });
    const access = uncheckedAccess(text);
    if (access !== undefined) this.#emitter.add({ ...actor, ...access }, t);
    else if (/hyper-?v|\bhv_|mshv|vmbus|kexec|Restarting system/i.test(text))
      this.#emitter.note(text, t, actor);
    else this.#tally.other('kernel messages');
  }

  /** A record: what was before it on its CPU is whole, and so is a record that has had its stack. */
  #hold(next: Held): void {
    const had = this.#growing;
    if (had !== undefined && had.stack.length > 0) had.isWhole = true;
    for (const held of this.#held) if (held.record.cpu === next.record.cpu) held.isWhole = true;
    this.#held.push(next);
    this.#growing = next;
    let done = this.#held.findIndex(({ isWhole }) => !isWhole);
    if (this.#held.length > MAX_HELD) done = Math.max(done, this.#held.length - MAX_HELD);
    for (const held of this.#held.splice(0, done)) this.#tell(held);
  }

  /** All that waits. */
  #release(): void {
    const held = this.#held;
    this.#held = [];
    this.#growing = undefined;
    for (const one of held) this.#tell(one);
  }

  #tell(held: Held): void {
    const { record, line, t, stack } = held;
    const { name, text, tid } = record;
    const known = knownRecord(name, text);
    if (known === undefined) {
      this.#unknown(record, t);
      return;
    }
    if (known === 'unreadable') {
      this.#tally.unreadable(`not what the kernel prints for ${name}`, line, t);
      return;
    }
    const told = this.#meanings.tell(known.row, known.fields, tid);
    if (told === undefined) this.#tally.other(name);
    else this.#told(told, record, t, stack);
  }

  /** An event of another part of the kernel; of the log, a message of a driver may look like one. */
  #unknown({ command, cpu, tid, name, text, time }: TraceRecord, t: number): void {
    if (command !== undefined) this.#tally.other(name);
    else this.#message({ kind: 'message', cpu, tid, time, text: `${name}: ${text}` }, t);
  }

  #told(told: Told, record: TraceRecord, t: number, stack: readonly string[]): void {
    const key = (call: string): string => `${call} ${record.tid ?? `cpu ${record.cpu}`}`;
    if (told.kind === 'return') {
      const seq = this.#open.get(key(told.call));
      this.#open.delete(key(told.call));
      if (seq !== undefined) this.#emitter.answer(seq, told.answer, t);
      else
        this.#emitter.note(
          `${record.name}: ${record.text} (its entry is not in this text)`,
          t,
          actorOf(record),
        );
      return;
    }
    const component = stack.length === 0 ? {} : { component: componentOf(stack) };
    const note = record.command === undefined ? {} : { note: record.command };
    const { body } = told;
    // What stays a note keeps the words of its line.
    const words =
      body.kind === 'mark' && body.what === 'note' ? { text: `${record.name}: ${record.text}`.trim() } : {};
    if (body.kind === 'msr') this.#warn(this.#unseen.msr(body, record.cpu ?? 0), t);
    const whole = { ...actorOf(record), ...note, ...component, ...body, ...words } as EventBody;
    if (told.kind === 'event') {
      this.#emitter.add(whole, t);
      return;
    }
    if (this.#open.size >= MAX_OPEN) this.#open.clear();
    this.#open.set(key(told.call), this.#emitter.begin(whole, t));
  }
}

function isOf(record: TraceRecord, { cpu, tid }: Pick<TraceRecord, 'cpu' | 'tid'>): boolean {
  return record.cpu === cpu && record.tid === tid;
}

function actorOf({ cpu, pid, tid }: Pick<TraceRecord, 'cpu' | 'pid' | 'tid'>): Actor {
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(pid === undefined ? {} : { pid }),
    ...(tid === undefined ? {} : { tid }),
  };
}
