import { codeOf } from '../replay/describe.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { answered, SUCCESS, status } from './track/hypercall.ts';
import { MAP, type RepCall, repCall, UNMAP } from './track/rep-call.ts';
import { requests } from './track/requests.ts';

const SET_MEMORY: ReadonlySet<number> = new Set(
  ['MSHV_SET_GUEST_MEMORY', 'MSHV_MAP_GUEST_MEMORY'].flatMap(requests),
);
const INVALID_PARTITION_STATE = status('INVALID_PARTITION_STATE');
/** Programs that map memory at once. */
const MAX_OPEN = 256;

/** What an ioctl that maps memory has mapped, frames from the first on, and what it took back after a failure. */
interface Mapping {
  readonly partition: bigint;
  readonly component: string;
  readonly first: bigint;
  mapped: bigint;
  failed: Moment | undefined;
  /** Frames taken back, counted from the first; undefined where that is no prefix. */
  undone: bigint | undefined;
  undo: Moment | undefined;
}

/** The part of R07 that is about failures: what was mapped is unmapped, no more and no less. */
export function judgeUndo(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  /** By the ioctl. */
  const open = new Map<number, Mapping>();

  function mapped(seq: number, rep: RepCall, component: string): void {
    const { base = 0n, unit, start, done } = rep;
    const known = open.get(seq);
    if (known === undefined && open.size >= MAX_OPEN) return;
    const mapping = known ?? {
      partition: rep.partition,
      component,
      first: base,
      mapped: 0n,
      failed: undefined,
      undone: 0n,
      undo: undefined,
    };
    open.set(seq, mapping);
    const from = base + unit * BigInt(start);
    if (from !== mapping.first + mapping.mapped) return;
    mapping.mapped += unit * BigInt(Math.max(0, done - start));
    mapping.failed = rep.status === SUCCESS ? undefined : input.now();
  }

  function unmapped(mapping: Mapping, { base = 0n, unit, start, done, status: answer }: RepCall): void {
    mapping.undo = input.now();
    const from = base + unit * BigInt(start);
    const count = answer === SUCCESS ? unit * BigInt(done - start) : 0n;
    const { undone } = mapping;
    mapping.undone = undone !== undefined && from === mapping.first + undone ? undone + count : undefined;
  }

  function returned({ event }: Step): void {
    const mapping = open.get(event.seq);
    open.delete(event.seq);
    if (mapping === undefined || event.kind !== 'ioctl') return;
    const { partition, component, first, failed, undo } = mapping;
    if (failed === undefined || typeof event.ret !== 'number' || event.ret >= 0) return;
    if (mapping.undone === mapping.mapped) return;
    const culprit = undo ?? failed;
    const finding = cases.open(
      { cause: [component, 'undo'], severity: 'error', component, culprit, partition },
      {
        title: `${component} fails to map memory and unmaps ${undo === undefined ? 'nothing' : 'other pages than it had mapped'}`,
        fix: `let ${component} unmap the frames that the calls completed, in units of pages, before it gives up`,
      },
    );
    if (!finding.concerns(`partition[${partition}].gpa[0x${first.toString(16)}]`)) return;
    finding.prove(failed);
    finding.prove(culprit);
    finding.prove(input.now());
  }

  return {
    step(step) {
      const { event, parent } = step;
      if (event.kind === 'ioctl') {
        if (step.returned && SET_MEMORY.has(event.op)) returned(step);
        return;
      }
      if (event.kind !== 'hypercall' || parent === undefined) return;
      const code = codeOf(event.control);
      if (code !== MAP && code !== UNMAP) return;
      const hypercall = answered(step);
      const rep = hypercall === undefined ? undefined : repCall(hypercall);
      if (rep === undefined || rep.status === INVALID_PARTITION_STATE) return;
      const mapping = open.get(parent.seq);
      if (code === MAP) mapped(parent.seq, rep, event.component ?? 'unknown');
      else if (mapping !== undefined) unmapped(mapping, rep);
    },
    end: () => cases.report(),
  };
}
