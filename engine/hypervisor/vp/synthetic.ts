import type { FieldHandle } from '../../abi/index.ts';
import { msrs, readU32, readU64, registers } from '../../abi/index.ts';
import type { Emitted, HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { VpRef } from '../../trace/handle.ts';
import { repeated } from '../call/call.ts';
import type { Refusal } from '../call/legality.ts';
import { STATUS } from '../call/status.ts';
import { answerMsr } from '../msr/dispatch.ts';
import { UNMODELLED } from '../rule-ids.ts';
import { refusedValue, unknownName } from './rules.ts';
import type { Wide } from './values.ts';

/** Whose registers: a CPU of the own partition, or a VP of a guest. */
export type Owner =
  | { readonly cpu: number; readonly vp?: undefined }
  | { readonly cpu?: undefined; readonly vp: VpRef };

/** Identity and the like, SynIC, timers, by the upper half of their names (Linux 7.2 hvgdk: enum hv_register_name). */
const SYNTHETIC_GROUPS: ReadonlySet<number> = new Set([0x9, 0xa, 0xb]);
/** What a processor has of its own: general, control, debug, segment and floating point registers, and its MSRs. */
const FIRST_PROCESSOR_GROUP = 0x2;
const LAST_PROCESSOR_GROUP = 0x8;
const GROUP_SHIFT = 16;

const DENIED: Refusal = { status: STATUS.ACCESS_DENIED, rule: 'choice.guest.processor-register' };
const FAULTED: Refusal = { status: STATUS.INVALID_REGISTER_VALUE, rule: 'choice.registers.own-fault' };

/** The MSR that is the same register seen from inside, by register name. */
const AS_MSR: ReadonlyMap<number, number> = new Map(
  registers.all().flatMap(({ name, value }): [number, number][] => {
    const isCrash = name.startsWith('HV_REGISTER_GUEST_CRASH_');
    if (!isCrash && !SYNTHETIC_GROUPS.has(value >>> GROUP_SHIFT)) return [];
    const row = msrs.named(name.replace(/^HV_(X64_)?REGISTER_(GUEST_CRASH_)?/, isCrash ? 'CRASH_' : ''));
    return row === undefined ? [] : [[value, row.value]];
  }),
);

/** Why a VP has no business with a register by a call: it has it as a register of its processor. */
export function refusedOwn(name: number): Refusal | undefined {
  const group = name >>> GROUP_SHIFT;
  return group >= FIRST_PROCESSOR_GROUP && group <= LAST_PROCESSOR_GROUP ? DENIED : undefined;
}

function access(context: Context, owner: Owner, dir: 'read' | 'write', name: number, value?: bigint) {
  const msr = AS_MSR.get(name);
  if (msr === undefined) return undefined;
  const who = owner.vp === undefined ? { cpu: owner.cpu } : { cpu: 0, vp: owner.vp };
  const request = { kind: 'msr', dir, msr, component: 'hypervisor', ...who } as const;
  const answer = answerMsr(context, value === undefined ? request : { ...request, value });
  return answer.rule === UNMODELLED ? undefined : answer;
}

/** A synthetic register as its owner reads it; undefined for one that is not an MSR, or cannot be said. */
export function readSynthetic(
  context: Context,
  owner: Owner,
  name: number,
  recorded: bigint | undefined,
): Wide | undefined {
  const answer = access(context, owner, 'read', name, recorded);
  return answer === undefined || answer.fault ? undefined : { low: answer.value, high: 0n };
}

/** Fields of HVCALL_SET_VP_REGISTERS. */
interface Elements {
  readonly name: FieldHandle;
  readonly value: FieldHandle;
  readonly high: FieldHandle;
}

/**
 * HvSetVpRegisters on the caller's own registers: what a write of the MSR would do, an element after the other. Undefined
 * where nobody can say.
 */
export function setSynthetic(
  context: Context,
  owner: Owner,
  input: Uint8Array,
  elements: Elements,
  range: { readonly from: number; readonly to: number },
): HypercallAnswer | undefined {
  const emitted: Emitted[] = [];
  const told = (answer: HypercallAnswer): HypercallAnswer =>
    emitted.length === 0 ? answer : { ...answer, emitted };
  for (let i = range.from; i < range.to; i++) {
    const name = readU32(input, elements.name, i);
    const value = { low: readU64(input, elements.value, i), high: readU64(input, elements.high, i) };
    const refused = unknownName(name, context.profile) ?? refusedOwn(name) ?? refusedValue(name, value);
    if (refused !== undefined) return told(repeated(refused.status, i, refused.rule));
    const answer = access(context, owner, 'write', name, value.low);
    if (answer === undefined) return undefined;
    if (answer.fault) return told(repeated(FAULTED.status, i, FAULTED.rule));
    emitted.push(...(answer.emitted ?? []));
  }
  return told(repeated(STATUS.SUCCESS, range.to, 'TLFS2013.registers.set'));
}
