import type { MsrAnswer, MsrRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { CellId, ObjectId } from '../../state/store.ts';
import type { MsrEvent } from '../../trace/event.ts';
import { UNMODELLED } from '../rule-ids.ts';

/** An access as the hypervisor sees it. */
export type Access = MsrRequest | MsrEvent;

/** Answers one direction of one register on the CPU `cpu`. */
export type AccessRule = (context: Context, cpu: ObjectId, access: Access) => MsrAnswer;

/** What the hypervisor does at an address: how it answers a read and a write. */
export interface MsrRow {
  readonly msr: number;
  readonly read: AccessRule;
  readonly write: AccessRule;
}

/** #GP. Nothing took effect, so there is no value. */
export function faulted(rule: string): MsrAnswer {
  return { kind: 'msr', value: 0n, fault: true, rule };
}

export function answered(value: bigint, rule: string): MsrAnswer {
  return { kind: 'msr', value, fault: false, rule };
}

/** Nobody can say what the answer is: the recorded one stands. */
export function unmodelled(access: Access): MsrAnswer {
  return answered(access.value ?? 0n, UNMODELLED);
}

/** The register is not known: what a read of it gives that is recorded, or to be, is so from then on. */
export function taught({ store }: Context, cell: CellId, access: Access): MsrAnswer {
  const answer = unmodelled(access);
  const isWorkedOut = 'provenance' in access && access.provenance === 'derived';
  if (!isWorkedOut && access.fault !== true) store.set(cell, answer.value);
  return answer;
}

/**
 * Whether a write is refused that hangs on what is not known: as the record says. Without one it takes effect, and that is
 * not known either.
 */
export function refusedUnknown({ store }: Context, access: Access): boolean {
  store.doubt();
  return access.fault === true;
}

/** A rule that refuses every access. */
export function refuse(rule: string): AccessRule {
  const answer = faulted(rule);
  return () => answer;
}

export const leaveUnmodelled: AccessRule = (_context, _cpu, access) => unmodelled(access);
