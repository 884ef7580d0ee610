/** CALL through a gate of long mode: always to 64-bit code, with words of 8 bytes and no parameters. */
import { enterCode } from '../exec/enter-code.ts';
import type { Descriptor } from '../exec/segments.ts';
import { CS, type Machine, SS } from '../machine.ts';
import { stackOffset } from '../operands.ts';
import { highHalf, lowHalf } from '../wide-operands.ts';
import { FIRST_LEVEL_STACK, pushFrame, savedSegments, setNullStack, stackOf } from './stacks.ts';

export function callLong(m: Machine, code: Descriptor, level: number, ip: number): void {
  const inner = level < m.cpl;
  const same = m.code64 ? stackOffset(m, 0) : m.g32[8]! >>> 0;
  const top = inner ? stackOf(m, FIRST_LEVEL_STACK + 8 * level) : same;
  const words = inner ? [m.selectors[SS]!, 0, m.g32[8]!, m.code64 ? m.g32[9]! : 0] : [];
  words.push(m.selectors[CS]!, 0, lowHalf(m.ip), highHalf(m.ip));
  const leave = savedSegments(m);
  const from = m.ip;
  try {
    enterCode(m, code, level, ip);
    if (inner) setNullStack(m, level, level);
    pushFrame(m, top, words);
  } catch (stopped) {
    leave();
    m.ip = from;
    throw stopped;
  }
}
