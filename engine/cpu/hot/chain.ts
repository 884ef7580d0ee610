/**
 * Runs blocks one after another. The commonest forms are run here by one switch, which keeps the register file at hand; a
 * call for each instruction costs about as much as the instruction. What they mean stands in exec/: a hot form only
 * fetches its operands in a shorter way. Everything else is called.
 */
import type { Block, CodeCache } from '../decode/code-cache.ts';
import {
  borrowsOfDifference,
  carriesOfSum,
  cmpAccImm,
  cmpRegRm,
  cmpRmImm,
  cmpRmReg,
  compute,
  keepingCarry,
} from '../exec/alu.ts';
import { target } from '../exec/control.ts';
import { shiftRmImm } from '../exec/shifts.ts';
import { add8, compute8, subtract8 } from '../exec64/alu.ts';
import { cmov } from '../exec64/moves.ts';
import { shiftRmImm as shiftBoth } from '../exec64/shifts.ts';
import { CARRY_BITS, condition, resultWord } from '../flags.ts';
import type { Machine } from '../machine.ts';
import { effectiveAddress } from '../operands.ts';
import {
  addressOf,
  drop4,
  drop8,
  load1,
  load2,
  load4,
  loadBoth,
  peek4,
  peekBoth,
  push4,
  pushBoth,
  store1,
  store2,
  store4,
  storeBoth,
} from './access.ts';
import { callNear, returnNear } from './calls.ts';
import { HOT } from './forms.ts';

// Constants of this module: where they are imported ones V8 makes no table of a switch.
const { MOVE, ADD, SUB, CMP, AND, OR, XOR, TEST, LOAD, STORE, LEA, ALU_LOAD, PUSH, POP, INC, DEC } = HOT;
const { MOVE_8, ADD_8, SUB_8, CMP_8, AND_8, OR_8, XOR_8, TEST_8, LOAD_8, STORE_8, LEA_8 } = HOT;
const { ALU_LOAD_8, PUSH_8, POP_8, INC_8, DEC_8, ZERO_1, ZERO_2, LOAD_ZERO_1, LOAD_ZERO_2, SIGN_4 } = HOT;
const { LOAD_SIGN_4, STORE_1, STORE_2, TEST_1, CMP_ANY_REG, CMP_REG_ANY, CMP_ANY_IMM, SHIFT, SHIFT_8 } = HOT;
const { CMP_ACC, MOVE_IF } = HOT;
const { NOTHING, JUMP_IF, JUMP, JUMP_OUTSIDE, CALL_4, CALL_8, RETURN_4, RETURN_8, OUTSIDE } = HOT;
const CARRIES = CARRY_BITS;

/** What `runChain` gives where the block is done and RIP is that of the next one. */
export const BLOCK_DONE = -1;

/**
 * Executes the instructions of `block`, which stands at `Machine.blockAt`, before `end` and gives the index of the next one;
 * after a store into the block's own code (`Machine.leaveBlock`) that of the instruction that made it. Where one leaves,
 * `Machine.position` is its index, and `Machine.end` is `end`.
 * With `budget` instructions left, and `end` at the last instruction of the block, it goes on as far as there are jumps
 * within the page, or a call or return: the block is then that of `Machine.blockAt`.
 */
export function runChain(m: Machine, cache: CodeCache, first: Block, end: number, budget: number): number {
  const g = m.g32;
  const { run } = first;
  let { blocks } = m;
  let { instructions } = first;
  let stop = end;
  let left = budget;
  for (;;) {
    m.end = stop;
    for (let k = 0; k < stop; k += 1) {
      const i = instructions[k]!;
      const to = i.to;
      switch (i.hot) {
        case MOVE:
          g[to] = g[i.from]! + i.imm;
          g[to + 1] = 0;
          break;
        case ADD: {
          const a = g[to]!;
          const b = (g[i.from]! + i.imm) | 0;
          const result = (a + b) | 0;
          g[to] = result;
          g[to + 1] = 0;
          m.result = result;
          m.carries = carriesOfSum(a, b, result) & CARRIES;
          break;
        }
        case SUB: {
          const a = g[to]!;
          const b = (g[i.from]! + i.imm) | 0;
          const result = (a - b) | 0;
          g[to] = result;
          g[to + 1] = 0;
          m.result = result;
          m.carries = borrowsOfDifference(a, b, result) & CARRIES;
          break;
        }
        case CMP: {
          const a = g[to]!;
          const b = (g[i.from]! + i.imm) | 0;
          const result = (a - b) | 0;
          m.result = result;
          m.carries = borrowsOfDifference(a, b, result) & CARRIES;
          break;
        }
        case AND: {
          const result = g[to]! & (g[i.from]! + i.imm);
          g[to] = result;
          g[to + 1] = 0;
          m.result = result;
          m.carries = 0;
          break;
        }
        case OR: {
          const result = g[to]! | (g[i.from]! + i.imm);
          g[to] = result;
          g[to + 1] = 0;
          m.result = result;
          m.carries = 0;
          break;
        }
        case XOR: {
          const result = g[to]! ^ (g[i.from]! + i.imm);
          g[to] = result;
          g[to + 1] = 0;
          m.result = result;
          m.carries = 0;
          break;
        }
        case TEST:
          m.result = g[to]! & g[i.from]!;
          m.carries = 0;
          break;
        case LOAD:
          m.position = k;
          g[to] = load4(m, i);
          g[to + 1] = 0;
          break;
        case STORE:
          m.position = k;
          store4(m, i, (g[to]! + i.imm) | 0);
          if (m.leaveBlock) return k;
          break;
        case LEA:
          g[to] = effectiveAddress(m, i);
          g[to + 1] = 0;
          break;
        case ALU_LOAD:
          m.position = k;
          g[to] = compute(m, i.kind, g[to]!, load4(m, i), 4);
          g[to + 1] = 0;
          break;
        case PUSH:
          m.position = k;
          push4(m, g[to]!);
          if (m.leaveBlock) return k;
          break;
        case POP: {
          m.position = k;
          const value = peek4(m);
          drop4(m);
          g[to] = value;
          g[to + 1] = 0;
          break;
        }
        case INC: {
          const a = g[to]!;
          const result = (a + 1) | 0;
          g[to] = result;
          g[to + 1] = 0;
          m.carries = keepingCarry(m.carries, carriesOfSum(a, 1, result));
          m.result = result;
          break;
        }
        case DEC: {
          const a = g[to]!;
          const result = (a - 1) | 0;
          g[to] = result;
          g[to + 1] = 0;
          m.carries = keepingCarry(m.carries, borrowsOfDifference(a, 1, result));
          m.result = result;
          break;
        }
        case MOVE_8: {
          // Without a register it is the immediate; with one that is 0, and its sign too.
          const low = g[i.from]! + i.imm;
          g[to + 1] = g[i.from + 1]! + (i.imm >> 31);
          g[to] = low;
          break;
        }
        case ADD_8:
          g[to] = add8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
          g[to + 1] = m.high;
          break;
        case SUB_8:
          g[to] = subtract8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
          g[to + 1] = m.high;
          break;
        case CMP_8:
          subtract8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
          break;
        case AND_8:
        case OR_8:
        case XOR_8: {
          const high = g[i.from + 1]! + (i.imm >> 31);
          g[to] = compute8(m, i.kind, g[to]!, g[to + 1]!, (g[i.from]! + i.imm) | 0, high | 0);
          g[to + 1] = m.high;
          break;
        }
        case TEST_8:
          m.result = resultWord(g[to]! & g[i.from]!, g[to + 1]! & g[i.from + 1]!);
          m.carries = 0;
          break;
        case LOAD_8:
          m.position = k;
          g[to] = loadBoth(m, i);
          g[to + 1] = m.high;
          break;
        case STORE_8:
          m.position = k;
          storeBoth(m, i, g[to]! + i.imm, g[to + 1]! + (i.imm >> 31));
          if (m.leaveBlock) return k;
          break;
        case LEA_8:
          g[to] = addressOf(m, i);
          g[to + 1] = m.high;
          break;
        case ALU_LOAD_8: {
          m.position = k;
          const low = loadBoth(m, i);
          g[to] = compute8(m, i.kind, g[to]!, g[to + 1]!, low, m.high);
          g[to + 1] = m.high;
          break;
        }
        case PUSH_8:
          m.position = k;
          pushBoth(m, g[to]!, g[to + 1]!);
          if (m.leaveBlock) return k;
          break;
        case POP_8: {
          m.position = k;
          const low = peekBoth(m);
          drop8(m);
          g[to] = low;
          g[to + 1] = m.high;
          break;
        }
        case INC_8: {
          const before = m.carries;
          g[to] = add8(m, g[to]!, g[to + 1]!, 1, 0);
          g[to + 1] = m.high;
          m.carries = keepingCarry(before, m.carries);
          break;
        }
        case DEC_8: {
          const before = m.carries;
          g[to] = subtract8(m, g[to]!, g[to + 1]!, 1, 0);
          g[to + 1] = m.high;
          m.carries = keepingCarry(before, m.carries);
          break;
        }
        case ZERO_1:
          g[to] = m.g8[i.from]!;
          g[to + 1] = 0;
          break;
        case ZERO_2:
          g[to] = m.g16[i.from]!;
          g[to + 1] = 0;
          break;
        case LOAD_ZERO_1:
          m.position = k;
          g[to] = load1(m, i);
          g[to + 1] = 0;
          break;
        case LOAD_ZERO_2:
          m.position = k;
          g[to] = load2(m, i);
          g[to + 1] = 0;
          break;
        case SIGN_4: {
          const low = g[i.from]!;
          g[to] = low;
          g[to + 1] = low >> 31;
          break;
        }
        case LOAD_SIGN_4: {
          m.position = k;
          const low = load4(m, i);
          g[to] = low;
          g[to + 1] = low >> 31;
          break;
        }
        case STORE_1:
          m.position = k;
          store1(m, i, m.g8[to]! + i.imm);
          if (m.leaveBlock) return k;
          break;
        case STORE_2:
          m.position = k;
          store2(m, i, m.g16[to]! + i.imm);
          if (m.leaveBlock) return k;
          break;
        case TEST_1:
          m.result = ((m.g8[to]! & m.g8[i.from]!) << 24) >> 24;
          m.carries = 0;
          break;
        case CMP_ANY_REG:
          m.position = k;
          cmpRmReg(m, i);
          break;
        case CMP_ACC:
          cmpAccImm(m, i);
          break;
        case MOVE_IF:
          cmov(m, i);
          break;
        case CMP_REG_ANY:
          m.position = k;
          cmpRegRm(m, i);
          break;
        case CMP_ANY_IMM:
          m.position = k;
          cmpRmImm(m, i);
          break;
        case SHIFT:
          shiftRmImm(m, i);
          break;
        case SHIFT_8:
          shiftBoth(m, i);
          break;
        case NOTHING:
          break;
        default:
          m.position = k;
          i.execute(m, i);
          if (m.leaveBlock) return k;
      }
    }
    m.position = stop;
    if (stop >= left) break;
    const i = instructions[stop]!;
    let next: number = OUTSIDE;
    switch (i.hot) {
      case JUMP_IF:
        next = condition(m, i.kind) ? i.to : i.from;
        m.executed += stop + 1;
        break;
      case JUMP:
        next = i.to;
        m.executed += stop + 1;
        break;
      case JUMP_OUTSIDE:
        m.executed += stop;
        m.ip = target(m, m.pageIp + i.from + i.imm, i.size);
        m.executed += 1;
        break;
      case CALL_4:
      case CALL_8:
        m.executed += stop;
        next = callNear(m, i);
        m.executed += 1;
        break;
      case RETURN_4:
      case RETURN_8:
        m.executed += stop;
        next = returnNear(m, i);
        m.executed += 1;
        break;
      default:
        m.executed += stop;
        return stop;
    }
    left -= stop + 1;
    let following: Block | undefined;
    if (next === OUTSIDE) {
      if (m.leaveBlock) return BLOCK_DONE;
      following = cache.follow();
      if (following === undefined || following.instructions.length > left) return BLOCK_DONE;
      blocks = m.blocks;
    } else {
      following = blocks[next];
      const known = following !== undefined && following.run === run && !m.leaveBlock;
      if (following === undefined || !known || following.instructions.length > left) {
        m.ip = m.pageIp + next;
        return BLOCK_DONE;
      }
      m.blockAt = next;
    }
    instructions = following.instructions;
    stop = instructions.length - 1;
  }
  m.executed += stop;
  return stop;
}
