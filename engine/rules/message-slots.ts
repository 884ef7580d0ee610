import { fieldOf, messageTypes, msrs, readU32 } from '../abi/index.ts';
import type { MessageEvent, MsrEvent } from '../trace/event.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { BOUNDARIES } from './track/boundary.ts';
import { MAX_CPUS, SINT_COUNT, synicPath } from './track/synic-registers.ts';

const [EOM, NESTED_EOM, EOI, SIMP] = ['EOM', 'NESTED_EOM', 'EOI', 'SIMP'].map((name) => msrs.number(name));
/** Configuration and count of the four timers. */
const TIMER = msrs.number('STIMER0_CONFIG');
const TIMERS = Array.from({ length: 8 }, (_, i) => TIMER + i);
const TYPE = fieldOf('hv_message_header', 'message_type');
const FLAGS = fieldOf('hv_message_header', 'message_flags');
const PENDING = 1;
const PAYLOAD = 16;
const TIMER_INDEX = fieldOf('hv_timer_message_payload', 'timer_index');
const TIMER_EXPIRED = messageTypes.number('HVMSG_TIMER_EXPIRED');

/** An EOM comes at once after the slot was freed; a message is taken out in the same interrupt. */
const EOM_WITHIN_NS = 1_000_000;
const TAKEN_WITHIN_NS = 10_000_000;
/** Looking once or twice at an empty slot is not waiting. */
const POLLS = 3;

interface Deed {
  readonly component: string;
  readonly moment: Moment;
}

/** A message slot: SINT `sint` of a CPU. */
interface Slot {
  readonly cpu: number;
  readonly sint: number;
  /** When the message in it was put there. */
  filled: Moment | undefined;
  timer: number | undefined;
  pending: boolean;
  /** Who has looked at the message. */
  reader: Deed | undefined;
  /** Since when a sender waits for it to be free. */
  waiting: Moment | undefined;
  /** Who freed it while others waited, and owes an EOM. */
  owed: Deed | undefined;
  /** Others look for a message of this SINT in the slot of another CPU. */
  polled: Deed | undefined;
  polls: number;
  /** A timer's message was thrown away, and nobody has programmed that timer since. */
  lost: { readonly by: Deed; readonly timer: number } | undefined;
}

/** R13: filled, read, freed, and an EOM where another message waits. */
export const messageSlots: Rule = {
  id: 'R13',
  severity: 'error',
  title: 'A message is not taken out of its slot as the protocol wants it',
  meaning:
    'The hypervisor fills a slot whose message type is 0 and interrupts the CPU. The kernel reads the message, sets the type ' +
    'to 0, and writes EOM if the pending flag was set, for the hypervisor looks for waiting messages then. Without it they ' +
    'stay where they are. A message that is not taken out keeps all that follow from that slot; one that is thrown ' +
    'away without being read is lost; and an answer comes to the slot of the CPU that the host was told, wherever somebody waits for it.',
  silent: [
    'No EOM where the pending flag was clear; an EOM too many.',
    'A message that its CPU takes out a little later.',
    'A slot whose SIMP was disabled, or whose CPU is offline: what waited is gone.',
    'A timer’s message thrown away while that timer is stopped, or programmed anew.',
    'Reads of slots are not in the trace: nobody can say that a message was not read.',
  ],
  source:
    'TLFS, SynIC message page and EOM; Linux 7.2 drivers/hv/vmbus_drv.c (vmbus_signal_eom, vmbus_wait_for_unload), ' +
    'commits “don’t loose HVMSG_TIMER_EXPIRED messages” and “handle various crash scenarios”',
  watches: [
    'message',
    { kind: 'msr', msrs: [EOM, NESTED_EOM, EOI, SIMP, ...TIMERS] as number[] },
    'lifecycle',
    'mark',
  ],
  needs: ['message', 'msr'],
  judge(input) {
    const boundaries = input.tracker(BOUNDARIES);
    const cases = new CaseBook(messageSlots.id, input);
    const slots = new Map<number, Slot>();
    /** Who is seen to read slots, by whoever recorded it: of others a read is not in the trace. */
    const readers = new Set<string>();

    function found(slot: Slot, what: string, by: Deed, shown: Moment, words: Words): void {
      const { component, moment } = by;
      const finding = cases.open(
        { cause: [component, what], severity: 'error', component, culprit: moment, shown },
        words,
      );
      if (!finding.concerns(`${synicPath(slot.cpu, false)}.slot[${slot.sint}].filled`, slot.cpu)) return;
      finding.prove(moment);
      if (slot.filled !== undefined) finding.prove(slot.filled);
      finding.prove(shown);
    }

    function noEom(slot: Slot): void {
      const { owed } = slot;
      slot.owed = undefined;
      if (owed === undefined) return;
      found(slot, 'no-eom', owed, input.now(), {
        title: `${owed.component} frees a message slot while another message waits for it, and writes no EOM`,
        fix: `let ${owed.component} write EOM after it has freed a slot whose pending flag was set`,
      });
    }

    function deliver(slot: Slot, { slot: content }: MessageEvent): void {
      const type = content === undefined || content.length < PAYLOAD ? 0 : readU32(content, TYPE);
      slot.filled = input.now();
      slot.pending =
        content !== undefined && content.length >= PAYLOAD && (readU32(content, FLAGS) & PENDING) !== 0;
      const isTimer =
        type === TIMER_EXPIRED && content !== undefined && content.length >= PAYLOAD + TIMER_INDEX.size;
      slot.timer = isTimer ? readU32(content.subarray(PAYLOAD), TIMER_INDEX) : undefined;
      slot.reader = undefined;
      slot.waiting = undefined;
      slot.polled = undefined;
      slot.polls = 0;
    }

    function read(slot: Slot, by: Deed): void {
      if (slot.owed?.component === by.component) noEom(slot);
      if (slot.filled !== undefined) {
        slot.reader ??= by;
        return;
      }
      for (const other of slots.values()) {
        if (other.sint !== slot.sint || other.filled === undefined || other.reader !== undefined) continue;
        other.polled ??= by;
        other.polls++;
      }
    }

    function clear(slot: Slot, by: Deed | undefined, { flags, provenance }: MessageEvent): void {
      if (by !== undefined && slot.owed?.component === by.component) noEom(slot);
      const isUnread = slot.filled !== undefined && slot.reader === undefined;
      if (by !== undefined && isUnread && readers.has(`${by.component} ${provenance}`)) {
        if (slot.timer === undefined) thrownAway(slot, by, input.now());
        else slot.lost = { by, timer: slot.timer };
      }
      const isPending =
        flags === undefined ? slot.pending || slot.waiting !== undefined : (flags & PENDING) !== 0;
      if (isPending && by !== undefined) slot.owed = by;
      slot.filled = undefined;
      slot.waiting = undefined;
      slot.timer = undefined;
    }

    function thrownAway(slot: Slot, by: Deed, shown: Moment): void {
      found(slot, 'thrown-away', by, shown, {
        title: `${by.component} frees a message slot without having read the message that is in it`,
        fix: `let ${by.component} free a slot only while the message that it has read is still there`,
      });
    }

    function message(event: MessageEvent): void {
      const { cpu, vp, sint, what, component } = event;
      if (vp !== undefined || cpu === undefined || cpu >= MAX_CPUS || sint >= SINT_COUNT) return;
      const key = cpu * SINT_COUNT + sint;
      const slot = slots.get(key) ?? emptySlot(cpu, sint);
      slots.set(key, slot);
      const isKnown = component !== undefined && component !== 'unknown';
      const by = isKnown ? { component, moment: input.now() } : undefined;
      if (what === 'deliver') deliver(slot, event);
      else if (what === 'busy') slot.waiting ??= input.now();
      else if (what === 'clear') clear(slot, by, event);
      else if (what === 'read' && by !== undefined) {
        readers.add(`${by.component} ${event.provenance}`);
        read(slot, by);
      }
    }

    function written({ cpu, msr, value, fault, vp }: MsrEvent): void {
      if (vp !== undefined || cpu === undefined || fault === true) return;
      const isPageOff = msr === SIMP && value !== undefined && (value & 1n) === 0n;
      const timer = msr >= TIMER && msr < TIMER + TIMERS.length ? (msr - TIMER) >> 1 : undefined;
      for (const [key, slot] of slots) {
        if (slot.cpu !== cpu) continue;
        if (isPageOff) slots.delete(key);
        else if (timer === undefined) slot.owed = undefined;
        else if (timer === slot.lost?.timer) slot.lost = undefined;
        // It was stopped or programmed while its message lay there.
        else if (timer === slot.timer) slot.timer = -1;
      }
    }

    /** What has not been put right by now will not be. */
    function settle(): void {
      const now = input.now();
      for (const slot of slots.values()) {
        const { owed, lost, filled, waiting, reader, polled } = slot;
        if (owed !== undefined && now.t - owed.moment.t >= EOM_WITHIN_NS) noEom(slot);
        if (lost !== undefined && lost.timer >= 0) thrownAway(slot, lost.by, now);
        if (filled === undefined || now.t - filled.t < TAKEN_WITHIN_NS) continue;
        if (waiting !== undefined && reader !== undefined) {
          found(slot, 'stuck', reader, waiting, {
            title: `${reader.component} leaves a message in its slot, for which others wait`,
            fix: `let ${reader.component} free the slot also after a message that it does not handle`,
          });
        } else if (polled !== undefined && reader === undefined && slot.polls >= POLLS) {
          found(slot, 'elsewhere', polled, filled, {
            title: `${polled.component} waits for a message in the slot of another CPU than the one that it came to`,
            fix: `let ${polled.component} look into the slots of all CPUs while it waits`,
          });
        }
      }
    }

    return {
      step({ event }) {
        if (event.kind === 'message') message(event);
        else if (event.kind === 'msr') {
          if (event.dir === 'write' && slots.size > 0) written(event);
        } else if (event.kind === 'mark') {
          if (event.what !== 'gap') return;
          slots.clear();
          readers.clear();
        } else if (event.kind === 'lifecycle') {
          for (const { what, cpu } of boundaries.ended) {
            for (const [key, slot] of slots)
              if (cpu === undefined || what !== 'cpu-offline' || cpu === slot.cpu) slots.delete(key);
          }
        }
      },
      end() {
        if (slots.size > 0) settle();
        cases.report();
      },
    };
  },
};

function emptySlot(cpu: number, sint: number): Slot {
  return {
    cpu,
    sint,
    filled: undefined,
    timer: undefined,
    pending: false,
    reader: undefined,
    waiting: undefined,
    owed: undefined,
    polled: undefined,
    polls: 0,
    lost: undefined,
  };
}
