/** Far JMP and CALL to what is no segment: call gates, tasks and their gates (Intel SDM 3, 5.8 and 8.3). */
import { callLong } from '../exec64/gates.ts';
import { CS, GP, type Machine, NP } from '../machine.ts';
import { further, loadSystem } from '../memory.ts';
import { peek } from '../operands.ts';
import { BIG, LONG, PRESENT } from '../segment-state.ts';
import { joined } from '../wide-operands.ts';
import { checkOffset, enterCode } from './enter-code.ts';
import { pushAll } from './frames.ts';
import { enterInner } from './inner-stack.ts';
import {
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  readDescriptor,
  selectorError,
  TSS_16,
  TSS_32,
} from './segments.ts';
import { readTaskDescriptor, switchTask } from './tasks.ts';

const CALL_GATE_16 = 4;
const TASK_GATE = 5;
const CALL_GATE_32 = 12;
const TYPES: readonly number[] = [TSS_16, CALL_GATE_16, TASK_GATE, TSS_32, CALL_GATE_32];
const TYPES_LONG: readonly number[] = [CALL_GATE_32];

/** `d` is the descriptor that the instruction names. */
export function transferToSystem(m: Machine, d: Descriptor, isCall: boolean): void {
  const error = selectorError(d.selector);
  const type = d.attributes & 15;
  if (!(m.longMode ? TYPES_LONG : TYPES).includes(type)) m.fault(GP, error);
  if (Math.max(m.cpl, d.selector & 3) > dplOf(d.attributes)) m.fault(GP, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  const how = isCall ? 'call' : 'jump';
  if (type === TSS_16 || type === TSS_32) switchTask(m, d, how, 0);
  else if (type === TASK_GATE)
    switchTask(m, readTaskDescriptor(m, loadSystem(m, further(m, d.linear, 2), 2), 0), how, 0);
  else throughCallGate(m, d, type === CALL_GATE_32, isCall);
}

function throughCallGate(m: Machine, gate: Descriptor, wide: boolean, isCall: boolean): void {
  const low = loadSystem(m, gate.linear, 4);
  const high = loadSystem(m, further(m, gate.linear, 4), 4);
  const ip = gateOffset(m, gate, low, high, wide);
  const selector = low >>> 16;
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const code = readDescriptor(m, selector);
  const error = selectorError(selector);
  const dpl = dplOf(code.attributes);
  const long = (code.attributes & (LONG | BIG)) === LONG;
  if (!isCode(code.attributes) || dpl > m.cpl || (m.longMode && !long)) m.fault(GP, error);
  const inner = !isConforming(code.attributes) && dpl < m.cpl;
  if (!isCall && inner) m.fault(GP, error);
  if ((code.attributes & PRESENT) === 0) m.fault(NP, error);
  if (!isCall) enterCode(m, code, m.cpl, ip);
  else if (m.longMode) callLong(m, code, inner ? dpl : m.cpl, ip);
  else call(m, code, inner, ip, wide ? 4 : 2, high & 31);
}

/** In long mode a gate has 16 bytes; the type behind its first half has to be none. */
function gateOffset(m: Machine, gate: Descriptor, low: number, high: number, wide: boolean): number {
  const offset = wide ? ((high & 0xffff0000) | (low & 0xffff)) >>> 0 : low & 0xffff;
  if (!m.longMode) return offset;
  if ((loadSystem(m, gate.linear + 12, 4) & 0x1f00) !== 0) m.fault(GP, selectorError(gate.selector));
  return joined(offset, loadSystem(m, gate.linear + 8, 4));
}

/** An inner level gets `parameters` words of the caller's stack on its own. */
function call(
  m: Machine,
  code: Descriptor,
  inner: boolean,
  ip: number,
  size: number,
  parameters: number,
): void {
  const back = [m.selectors[CS]!, m.ip];
  if (!inner) {
    checkOffset(m, code, ip);
    pushAll(m, back, size);
    enterCode(m, code, m.cpl, ip);
    return;
  }
  const copied = Array.from({ length: parameters }, (_, n) => peek(m, size * (parameters - 1 - n), size));
  enterInner(m, code, dplOf(code.attributes), ip, [...copied, ...back], size, 0);
}
