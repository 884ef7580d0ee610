/** CVTPI2PS and its like: between the two whole numbers of an MMX register and numbers of an XMM register. */
import { integerTo, toInteger } from '../exec-sse/convert.ts';
import { raise } from '../exec-sse/exceptions.ts';
import { keep, type Precision } from '../exec-sse/lanes.ts';
import { fromMemory, scalarSource, ready as sseReady, source as wholeSource } from '../exec-sse/operands.ts';
import { type Execute, MEMORY } from '../instruction.ts';
import { XMM_SCRATCH, XMM_WORK } from '../machine.ts';
import { begin, numberOf, put, ready, source } from './operands.ts';

/**
 * To two lanes; what is above two singles stays. Of memory they have nothing to do with the x87 unit: the Intel SDM 2 says so of CVTPI2PD
 * alone, processors do it with both.
 */
export function toNumbers(precision: Precision): Execute {
  const putLane = integerTo(precision);
  return (m, i) => {
    sseReady(m);
    if (i.rm === MEMORY) fromMemory(m, i, 8);
    else source(m, i, 8);
    let flags = 0;
    for (let n = 0; n < 2; n += 1) flags |= putLane(m, n, 4 * XMM_SCRATCH + n);
    raise(m, flags);
    keep(m, i.reg, 2 * precision);
  };
}

export function toWholes(precision: Precision, truncates: boolean): Execute {
  const putLane = toInteger(precision, truncates);
  return (m, i) => {
    sseReady(m);
    ready(m, i);
    const from = (4 / precision) * (precision === 2 ? wholeSource(m, i) : scalarSource(m, i, 8));
    let flags = 0;
    for (let n = 0; n < 2; n += 1) flags |= putLane(m, n, from + n);
    // Processors do this even where an exception then keeps the result.
    begin(m);
    raise(m, flags);
    keep(m, XMM_WORK, 2);
    put(m, numberOf(i), XMM_WORK);
  };
}
