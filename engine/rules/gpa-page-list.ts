import { readU32, readU64 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { type Answered, answered } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';
import { MAP, MAP_INPUT } from './track/rep-call.ts';

const NO_ACCESS = 0x1_0000;
/** CPUs whose last page list is kept. */
const MAX_CPUS = 4096;

/** The list that a CPU’s input page held last. */
interface Kept {
  readonly input: Uint8Array;
  readonly count: number;
  readonly moment: Moment;
}

/** The part of R11 that is about the pages behind a mapping: each frame that can be accessed has one. */
export function judgePageLists(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  const last = new Map<number, Kept>();

  function judgeMap(step: Step, { input: bytes, control, component = 'unknown' }: Answered): void {
    const { cpu } = step.event;
    const { repStart, repCount } = control;
    // A list of which only a part was recorded reads as zeros.
    const isWhole = bytes.length >= MAP_INPUT.list.offset + repCount * MAP_INPUT.list.stride;
    if (!isWhole || (readU32(bytes, MAP_INPUT.flags) & NO_ACCESS) !== 0) return;
    const empty = firstEmpty(bytes, repStart, repCount);
    const kept = cpu === undefined ? undefined : last.get(cpu);
    const stale = kept === undefined ? repCount : firstStale(kept, bytes, repCount);
    if (empty < repCount) found(component, bytes, 'zero', empty, undefined);
    else if (kept !== undefined && stale < repCount) found(component, bytes, 'stale', stale, kept.moment);
    if (cpu !== undefined && cpu < MAX_CPUS && repStart === 0) {
      last.set(cpu, { input: bytes, count: repCount, moment: input.now() });
    }
  }

  function found(
    component: string,
    bytes: Uint8Array,
    what: 'zero' | 'stale',
    index: number,
    proof?: Moment,
  ): void {
    const partition = readU64(bytes, MAP_INPUT.partition);
    const base = readU64(bytes, MAP_INPUT.base);
    const behind =
      what === 'zero'
        ? 'page 0 behind it'
        : 'the page behind it that the list of the mapping before had there';
    const finding = cases.open(
      { cause: [component, 'list', what], severity: 'error', component, culprit: input.now(), partition },
      {
        title: `${component} maps guest frames from 0x${base.toString(16)} on, and the one of element ${index} has ${behind}`,
        fix: `let ${component} map as many frames as it has pinned, and fail when these are fewer than were asked for`,
      },
    );
    if (!finding.concerns(`partition[${partition}].gpa[0x${base.toString(16)}]`)) return;
    if (proof !== undefined) finding.prove(proof);
    finding.prove(input.now());
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind !== 'hypercall' || !isHost(step)) return;
      const hypercall = answered(step);
      if (hypercall?.control.code === MAP) judgeMap(step, hypercall);
      // What is unmapped may be mapped elsewhere with the same pages.
      else if (hypercall !== undefined) last.clear();
    },
    end: () => cases.report(),
  };
}

/** The first element of page 0; `to` where there is none. */
function firstEmpty(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++)
    if (readU32(bytes, MAP_INPUT.list, i) === 0 && readU64(bytes, MAP_INPUT.list, i) === 0n) return i;
  return to;
}

/**
 * From where on to its end a list is what the list before had in the same places, of other frames of the same partition:
 * the input page is one for each CPU, and keeps what nobody has written over. `count` where it is not, or all of it is.
 */
function firstStale(kept: Kept, bytes: Uint8Array, count: number): number {
  const isElsewhere =
    readU64(kept.input, MAP_INPUT.partition) === readU64(bytes, MAP_INPUT.partition) &&
    readU64(kept.input, MAP_INPUT.base) !== readU64(bytes, MAP_INPUT.base);
  if (!isElsewhere || kept.count < count) return count;
  let from = count;
  while (
    from > 0 &&
    readU64(kept.input, MAP_INPUT.list, from - 1) === readU64(bytes, MAP_INPUT.list, from - 1)
  )
    from--;
  return from === 0 ? count : from;
}
