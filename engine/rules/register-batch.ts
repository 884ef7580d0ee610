import { hypercalls, registers, statuses } from '../abi/index.ts';
import { codeOf } from '../replay/describe.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { type Answered, answered, status } from './track/hypercall.ts';
import { type Maker, makerOf } from './track/maker.ts';
import { isHost } from './track/partition-tracker.ts';
import { elementsOf, GET_REGISTERS, type RepCall, repCall, SET_REGISTERS } from './track/rep-call.ts';

/** The register itself is what was refused, and not its value. */
const REFUSALS: ReadonlySet<number> = new Set(
  ['INVALID_PARAMETER', 'UNKNOWN_REGISTER_NAME', 'ACCESS_DENIED'].map(status),
);
/** Partitions whose registers are read and written in part. */
const MAX_OPEN = 256;

/** A batch that ended at a register, and what stood behind it. */
interface Batch {
  readonly rep: RepCall;
  readonly moment: Moment;
  readonly maker: Maker;
  readonly refused: bigint;
  readonly behind: Set<bigint>;
}

/** The part of R07 that is about batches of registers: those behind the one that was refused are asked for again. */
export function judgeRegisterBatches(rule: string, input: RuleInput): Judge {
  const callers = input.tracker(CALLERS);
  const cases = new CaseBook(rule, input);
  /** By code and partition. */
  const open = new Map<string, Batch>();

  function wentOn(batch: Batch, rep: RepCall): void {
    for (const name of elementsOf(rep, rep.start, rep.done)) batch.behind.delete(name);
  }

  function close({ rep, moment, maker, refused, behind }: Batch): void {
    if (behind.size === 0) return;
    const { component } = maker;
    const name = registers.name(Number(refused));
    const finding = cases.open(
      {
        cause: [component, hypercalls.name(rep.code), name],
        severity: 'warning',
        component,
        culprit: maker.moment,
        partition: rep.partition,
      },
      wordsOf(rep, component, name, behind.size),
    );
    if (finding.concerns(name)) finding.prove(moment);
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind !== 'hypercall' || event.result === undefined) return;
      const refused = REFUSALS.has(event.result.status);
      if (!refused && open.size === 0) return;
      const code = codeOf(event.control);
      if (code !== GET_REGISTERS && code !== SET_REGISTERS) return;
      const hypercall: Answered | undefined = isHost(step) ? answered(step) : undefined;
      const rep = hypercall === undefined ? undefined : repCall(hypercall);
      if (rep === undefined) return;
      const key = `${code} ${rep.partition}`;
      const before = open.get(key);
      if (before !== undefined) {
        wentOn(before, rep);
        if (before.behind.size === 0) open.delete(key);
      }
      const maker = refused ? makerOf(callers, step, event, input.now) : undefined;
      const [element] = elementsOf(rep, rep.done, rep.done + 1);
      if (maker === undefined || element === undefined || open.has(key) || open.size >= MAX_OPEN) return;
      const behind = new Set(elementsOf(rep, rep.done + 1, rep.count));
      if (behind.size > 0) open.set(key, { rep, moment: input.now(), maker, refused: element, behind });
    },
    end() {
      for (const batch of open.values()) close(batch);
      cases.report();
    },
  };
}

function wordsOf(
  { code, count, status: answer }: RepCall,
  component: string,
  name: string,
  behind: number,
): Words {
  const verb = code === GET_REGISTERS ? 'read' : 'set';
  return {
    title: `${hypercalls.name(code)} of ${count} registers ends at ${name} (${statuses.name(answer)}); the ${behind} behind it are never ${verb}`,
    fix: `let ${component} leave ${name} out where the partition does not have it, or go on behind it`,
  };
}
