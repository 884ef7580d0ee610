/** Delivery through the interrupt table of long mode (Intel SDM 3, 6.14): gates of 16 bytes, stacks of the TSS. */
import { enterCode } from '../exec/enter-code.ts';
import { pushedFlags } from '../exec/frames.ts';
import { dplOf, isCode, isConforming, readDescriptor, selectorError } from '../exec/segments.ts';
import { IF, NT, RF, TF, VM } from '../flags.ts';
import { CS, type EventSource, GP, type Machine, NP, SS } from '../machine.ts';
import { loadSystem } from '../memory.ts';
import { stackOffset } from '../operands.ts';
import { LONG, PRESENT } from '../segment-state.ts';
import { highHalf, joined, lowHalf } from '../wide-operands.ts';
import { FIRST_LEVEL_STACK, pushFrame, savedSegments, setNullStack, stackOf } from './stacks.ts';

const INTERRUPT_GATE = 14;
const TRAP_GATE = 15;
const FIRST_INTERRUPT_STACK = 36;

export function deliverLong(m: Machine, vector: number, source: EventSource, error?: number): void {
  const ext = source === 'software' ? 0 : 1;
  const gateError = vector * 8 + 2 + ext;
  if (vector * 16 + 15 > m.idtLimit) m.fault(GP, gateError);
  const at = m.idtBase + vector * 16;
  const first = loadSystem(m, at, 4);
  const second = loadSystem(m, at + 4, 4);
  const third = loadSystem(m, at + 8, 4);
  const attributes = (second >>> 8) & 0xff;
  const type = attributes & 0x1f;
  if (type !== INTERRUPT_GATE && type !== TRAP_GATE) m.fault(GP, gateError);
  if (source === 'software' && dplOf(attributes) < m.cpl) m.fault(GP, gateError);
  if ((attributes & PRESENT) === 0) m.fault(NP, gateError);

  const selector = first >>> 16;
  if ((selector & 0xfffc) === 0) m.fault(GP, ext);
  const d = readDescriptor(m, selector, GP, ext);
  const before = m.cpl;
  const dpl = dplOf(d.attributes);
  const long = (d.attributes & (LONG | 0x4000)) === LONG;
  if (!isCode(d.attributes) || dpl > before || !long) m.fault(GP, selectorError(selector) + ext);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, selectorError(selector) + ext);
  const level = isConforming(d.attributes) ? before : dpl;
  const interruptStack = second & 7;
  const top =
    interruptStack !== 0
      ? stackOf(m, FIRST_INTERRUPT_STACK + 8 * (interruptStack - 1))
      : level < before
        ? stackOf(m, FIRST_LEVEL_STACK + 8 * level)
        : m.code64
          ? stackOffset(m, 0)
          : m.g32[8]! >>> 0;

  // Low and high halves, in the order of the pushes.
  const words = [m.selectors[SS]!, 0, m.g32[8]!, m.code64 ? m.g32[9]! : 0, pushedFlags(m, vector, source), 0];
  words.push(m.selectors[CS]!, 0, lowHalf(m.ip), highHalf(m.ip));
  if (error !== undefined) words.push(error, 0);
  const leave = savedSegments(m);
  const ip = joined((second & 0xffff0000) | (first & 0xffff), third);
  const from = m.ip;
  try {
    enterCode(m, d, level, ip);
    if (level < before) setNullStack(m, level, level);
    pushFrame(m, top - (lowHalf(top) & 15), words);
  } catch (stopped) {
    leave();
    m.ip = from;
    throw stopped;
  }
  m.flags &= ~(TF | NT | RF | VM);
  if (type === INTERRUPT_GATE) m.flags &= ~IF;
}
