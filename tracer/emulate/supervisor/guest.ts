import { constantNumber } from '../../../engine/abi/index.ts';
import { interceptMessage, nextExpiry, offeredInterrupt, vpOfRef } from '../../../engine/hypervisor/index.ts';
import type { Context } from '../../../engine/machine/context.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import { addressOf, syscall, viewOf } from '../../native/libc.ts';
import { MMAP, NR } from '../../native/numbers.ts';
import { VpChannel } from '../vp/channel.ts';
import { Processor } from '../vp/processor.ts';
import { ApicWindow, type AskApic } from './apic-window.ts';
import { EngineRegisters } from './engine-registers.ts';
import type { Exchange } from './exchange.ts';
import { putOffered } from './interruptions.ts';
import type { PartitionMemory } from './partition-memory.ts';
import { RegisterPage } from './register-page.ts';
import type { VpThread, VpThreads } from './vp-threads.ts';

/** The pages of a VP that the program may map: ./device-file.ts. */
const PAGES_BYTES = 3 * 4096;
const INTERCEPT_PAGE_AT = 4096;
const MESSAGE_BYTES = constantNumber('HV_MESSAGE_SIZE');

/** A VP that was made, and what runs it. */
export interface Guest extends Exchange {
  readonly partition: bigint;
  readonly index: number;
  readonly memory: PartitionMemory;
  /** Its time stamp counter counts nanoseconds of the trace's time; else instructions. */
  readonly countsTime: boolean;
  /** What the program sees through mappings of its descriptor. */
  readonly pages: Uint8Array;
  readonly registerPage: RegisterPage;
  /** The thread that it has from its first long run on: most VPs of a program that makes many need none. */
  thread: VpThread | undefined;
  /** Its thread has it. */
  running: boolean;
  /** What it asked is answered: it goes on. */
  answered: boolean;
  /** It sleeps after HLT. `untold`: the engine does not know the registers that it sleeps with. */
  asleep: 'no' | 'untold' | 'told';
}

/** What the processor of a VP needs; `memfd` holds the pages that the program may map. */
export interface GuestParts {
  readonly memory: PartitionMemory;
  readonly memfd: number;
  readonly idlesOnHalt: boolean;
  /** Nanoseconds: ../vp/clock.ts; without one its time stamp counter counts instructions. */
  readonly clock: (() => number) | undefined;
}

/** A VP with its processor. */
export function makeGuest(partition: bigint, index: number, parts: GuestParts, askApic: AskApic): Guest {
  const { memory, memfd, idlesOnHalt, clock } = parts;
  const window = new ApicWindow(askApic);
  const channel = new VpChannel();
  const address = syscall(NR.mmap, 0, PAGES_BYTES, MMAP.readWrite, MMAP.shared, memfd, 0);
  if (address < 0) throw new Error(`the pages of a VP cannot be mapped: errno ${-address}`);
  const pages = viewOf(address, PAGES_BYTES);
  return {
    partition,
    index,
    channel,
    processor: new Processor(channel, memory.mapped, index, idlesOnHalt, window, clock),
    registers: new EngineRegisters(),
    memory,
    countsTime: clock !== undefined,
    window,
    pages,
    registerPage: new RegisterPage(pages),
    thread: undefined,
    running: false,
    answered: false,
    entering: undefined,
    asleep: 'no',
  };
}

/** Its VP in the engine; undefined once that is gone. */
export function vpOf(context: Context, { partition, index }: Guest): ObjectId | undefined {
  return vpOfRef(context, { partition, vp: index });
}

/** The message of a stop as the hypervisor leaves it in the VP's intercept message page. */
export function showIntercept(context: Context, guest: Guest): void {
  const vp = vpOf(context, guest);
  if (vp === undefined) return;
  const message = interceptMessage(context, vp);
  guest.pages.set(message, INTERCEPT_PAGE_AT);
  guest.pages.fill(0, INTERCEPT_PAGE_AT + message.length, INTERCEPT_PAGE_AT + MESSAGE_BYTES);
}

/** When the next timer of a VP that runs or sleeps expires; one whose thread was told to stop for it already says itself when it has. */
export function expiryOf(context: Context, guest: Guest): number | undefined {
  if (guest.running ? guest.channel.isToldToStop : guest.asleep === 'no') return undefined;
  const vp = vpOf(context, guest);
  return vp === undefined ? undefined : nextExpiry(context, vp);
}

/** An interrupt that waits: the processor says when the guest can take it. */
export function offer(context: Context, guest: Guest): void {
  const vp = vpOf(context, guest);
  putOffered(guest.channel, vp === undefined ? undefined : offeredInterrupt(context, vp));
}

/** Its thread goes on with it. */
export function handOver(guest: Guest, threads: VpThreads): void {
  threads.serve(guest);
  guest.processor.handOver();
  guest.running = true;
  guest.channel.ask();
}

/** Gives a guest what it asked for. */
export function giveAnswer(guest: Guest, answer: number, values?: readonly number[]): void {
  guest.channel.answer(answer, values);
  guest.answered = true;
}

/** A VP is gone: its thread leaves the guest. */
export function endGuest(guest: Guest, threads: VpThreads): void {
  const { running, channel, pages } = guest;
  if (running) {
    channel.stop();
    channel.waitForEnd();
  }
  threads.leave(guest);
  syscall(NR.munmap, addressOf(pages), PAGES_BYTES);
}
