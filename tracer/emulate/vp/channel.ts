import { HANDED } from './registers.ts';

/** Why the processor stopped; the numbers stand in the shared memory. */
export const STOP = {
  /** An intercept, which the hypervisor reports as it is. */
  intercept: 1,
  /** The guest asks something that the hypervisor may answer. */
  cpuid: 2,
  readMsr: 3,
  writeMsr: 4,
  hypercall: 5,
  /** HLT where the hypervisor has the interrupt controller: it is done, and the VP sleeps. */
  idle: 6,
  /** It could take an interrupt now, and was to say so. */
  window: 7,
} as const;

export const ANSWER = {
  /** Goes on with the registers as they are given. */
  registers: 0,
  /** The instruction is done: EDX:EAX is the answer, or CPUID's four registers, or nothing. */
  done: 1,
  /** #GP. */
  fault: 2,
  /** The VP has no need of the thread any more. */
  quit: 3,
  /** The register is the processor's own affair. */
  own: 4,
} as const;

/** Whether an interrupt waits for the guest, and whether it is an NMI. */
export const WAITS = { no: 0, interrupt: 1, nmi: 2 } as const;

/** Low and high half of 64 bits, as EDX:EAX has them. */
export function halves(value: bigint): readonly number[] {
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)];
}

const WORDS = {
  /** Counts the runs that were asked for, and those that ended. */
  asked: 0,
  ended: 1,
  /** 1: leave the guest. */
  stop: 2,
  reason: 3,
  answer: 4,
  messageType: 5,
  payloadBytes: 6,
  /** CPUID leaf or MSR, and subleaf. */
  index: 7,
  subleaf: 8,
  instructionLength: 9,
  /** Of an MSR: low and high half. Of an answer: EAX, EBX, ECX, EDX. */
  values: 10,
  /** What waits until the guest can take it: {@link WAITS}. */
  interrupt: 14,
  /** Changes where a processor that had the VP has forgotten translations. */
  translations: 15,
} as const;
export type VpWord = keyof typeof WORDS;

const PAYLOAD_AT = 128;
const PAYLOAD_BYTES = 240;
const FLAGS_AT = PAYLOAD_AT + PAYLOAD_BYTES;
const FLAGS_BYTES = 128;
const VALUES_AT = FLAGS_AT + 3 * FLAGS_BYTES;
const VALUE_BYTES = 16;
const SIZE = VALUES_AT + HANDED.length * VALUE_BYTES;

const U64 = (1n << 64n) - 1n;

/**
 * Who has registers: the engine, the processor that runs the guest for short (./processor.ts), and that of the VP's
 * thread (./long-run.ts). What one changes the other two take.
 */
export type Holder = 'engine' | 'short' | 'long';
const HOLDERS: readonly Holder[] = ['engine', 'short', 'long'];

/** What supervisor and the thread of one VP share. The thread owns it from when it is asked until it ends the run. */
export class VpChannel {
  readonly shared: SharedArrayBuffer;
  readonly payload: Uint8Array;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #changed: Readonly<Record<Holder, Uint8Array>>;
  readonly #values: BigUint64Array;
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(SIZE)) {
    this.shared = shared;
    this.#words = new Int32Array(shared, 0, PAYLOAD_AT / 4);
    this.payload = new Uint8Array(shared, PAYLOAD_AT, PAYLOAD_BYTES);
    const flags = (index: number) => new Uint8Array(shared, FLAGS_AT + index * FLAGS_BYTES, HANDED.length);
    this.#changed = { engine: flags(0), short: flags(1), long: flags(2) };
    this.#values = new BigUint64Array(shared, VALUES_AT, HANDED.length * 2);
    this.#bytes = new Uint8Array(shared, VALUES_AT, HANDED.length * VALUE_BYTES);
  }

  /** A register by its place in HANDED. */
  register(place: number): bigint {
    const low = this.#values[2 * place] as bigint;
    const high = this.#values[2 * place + 1] as bigint;
    return high === 0n ? low : (high << 64n) | low;
  }

  /** Puts the first `length` bytes of a register at `at`, without making a number of them. */
  copyRegister(place: number, target: Uint8Array, at: number, length: number): void {
    const from = place * VALUE_BYTES;
    for (let i = 0; i < length; i++) target[at + i] = this.#bytes[from + i] as number;
  }

  /** Puts a register as a holder has it now. */
  setRegister(by: Holder, place: number, value: bigint): void {
    const low = value & U64;
    const high = value >> 64n;
    if (this.#values[2 * place] === low && this.#values[2 * place + 1] === high) return;
    this.#values[2 * place] = low;
    this.#values[2 * place + 1] = high;
    for (const holder of HOLDERS) if (holder !== by) this.#changed[holder][place] = 1;
  }

  /** The places of the registers that the others have changed since a holder last asked. */
  takeChanged(holder: Holder): number[] {
    const flags = this.#changed[holder];
    const places: number[] = [];
    for (let place = 0; place < flags.length; place++) if (flags[place] === 1) places.push(place);
    flags.fill(0);
    return places;
  }

  word(name: VpWord, offset = 0): number {
    return this.#words[WORDS[name] + offset] as number;
  }

  setWord(name: VpWord, value: number, offset = 0): void {
    this.#words[WORDS[name] + offset] = value;
  }

  /** The first two values as one of 64 bits. */
  get wideValue(): bigint {
    return (BigInt(this.word('values', 1) >>> 0) << 32n) | BigInt(this.word('values') >>> 0);
  }

  /** Gives the guest what it asked for: {@link ANSWER}, and the values that go with it. */
  answer(answer: number, values: readonly number[] = []): void {
    this.setWord('answer', answer);
    this.setValues(values);
  }

  setValues(values: readonly number[]): void {
    values.forEach((value, offset) => {
      this.setWord('values', value | 0, offset);
    });
  }

  /** Hands the VP to its thread. */
  ask(): void {
    Atomics.store(this.#words, WORDS.stop, 0);
    Atomics.add(this.#words, WORDS.asked, 1);
    Atomics.notify(this.#words, WORDS.asked);
  }

  /** Tells the thread to leave the guest. */
  stop(): void {
    Atomics.store(this.#words, WORDS.stop, 1);
  }

  get isToldToStop(): boolean {
    return Atomics.load(this.#words, WORDS.stop) === 1;
  }

  /** The thread: waits until it is asked for one more run than it has ended. */
  waitForRun(): void {
    // The notification of a run that has ended already may come late: then there is none to do.
    while (this.isIdle) Atomics.wait(this.#words, WORDS.asked, Atomics.load(this.#words, WORDS.ended));
  }

  /** The thread: hands the VP back. */
  end(): void {
    Atomics.add(this.#words, WORDS.ended, 1);
    Atomics.notify(this.#words, WORDS.ended);
  }

  /** Waits until the thread has handed the VP back. */
  waitForEnd(): void {
    for (;;) {
      const ended = Atomics.load(this.#words, WORDS.ended);
      if (ended === Atomics.load(this.#words, WORDS.asked)) return;
      Atomics.wait(this.#words, WORDS.ended, ended);
    }
  }

  /** Whether the thread has handed the VP back as often as it was asked. */
  get isIdle(): boolean {
    return Atomics.load(this.#words, WORDS.ended) === Atomics.load(this.#words, WORDS.asked);
  }
}
