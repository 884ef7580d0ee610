import { hypercalls, readU64 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import {
  type Answered,
  answered,
  call,
  isShortage,
  partitionField,
  SELF,
  SUCCESS,
  status,
} from './track/hypercall.ts';
import { ACQUIRING, type Held, heldBy, RELEASING, type What } from './track/objects.ts';
import { isHost, PARTITIONS } from './track/partition-tracker.ts';

const FINALIZE = call('FINALIZE_PARTITION');
const PARTITION = partitionField(FINALIZE);
const INVALID_PARTITION_STATE = status('INVALID_PARTITION_STATE');
/** What finalization does not take away, or leaves behind elsewhere. */
const OWED: ReadonlySet<What> = new Set(['state page', 'statistics page', 'connection']);
/** Objects that are followed at once. */
const MAX_HELD = 65_536;

interface Holding extends Held {
  readonly moment: Moment;
}

/** The part of R15 that is about what hypercalls take and give back. */
export function judgeObjects(rule: string, input: RuleInput): Judge {
  const partitions = input.tracker(PARTITIONS);
  const cases = new CaseBook(rule, input);
  const held = new Map<string, Holding>();
  let isWhole = input.profile.initial !== 'unknown';

  function found(what: string, component: string, of: Held, words: Words, proof?: Moment): void {
    const culprit = input.now();
    const finding = cases.open(
      { cause: [component, what, of.what], severity: 'error', component, culprit, partition: of.partition },
      words,
    );
    if (!finding.concerns(`partition[${of.partition}]`)) return;
    if (proof !== undefined) finding.prove(proof);
    finding.prove(culprit);
  }

  function acquired(of: Held, { status: answer, control, component = 'unknown' }: Answered): void {
    const before = held.get(of.key);
    if (answer === SUCCESS) {
      if (held.size < MAX_HELD) held.set(of.key, { ...of, moment: input.now() });
      return;
    }
    if (before === undefined || isShortage(answer) || answer === INVALID_PARTITION_STATE) return;
    const name = hypercalls.name(control.code);
    found(
      'twice',
      component,
      of,
      {
        title: `${component} makes ${name} for a ${of.what} that it has already`,
        fix: `let ${component} give the ${of.what} back before it takes it again, or keep the one it has`,
      },
      before.moment,
    );
  }

  function released(of: Held, { status: answer, control, component = 'unknown' }: Answered): void {
    if (answer === SUCCESS) {
      held.delete(of.key);
      return;
    }
    // What is taken of the own partition is known from the start of the recording on, of another from its creation on.
    const isKnown = of.partition === SELF ? isWhole : partitions.life(of.partition)?.phase === 'active';
    if (!isKnown || held.has(of.key) || answer === INVALID_PARTITION_STATE) return;
    const name = hypercalls.name(control.code);
    found('unpaired', component, of, {
      title: `${component} makes ${name} for a ${of.what} that it does not have`,
      fix: `let ${component} give back only what it took, and once`,
    });
  }

  function finalized(partition: bigint, component: string): void {
    for (const [key, holding] of held) {
      if (holding.partition !== partition) continue;
      held.delete(key);
      if (!OWED.has(holding.what) || input.profile.kernel === 'rfc2020') continue;
      found(
        'finalized',
        component,
        holding,
        {
          title: `${component} finalizes a partition of which it holds a ${holding.what} yet`,
          fix: `let ${component} give the ${holding.what} back before it finalizes the partition`,
        },
        holding.moment,
      );
    }
  }

  function judge(step: Step): void {
    const hypercall = isHost(step) ? answered(step) : undefined;
    if (hypercall === undefined) return;
    const taken = heldBy(ACQUIRING, hypercall);
    const given = taken === undefined ? heldBy(RELEASING, hypercall) : undefined;
    if (taken !== undefined) acquired(taken, hypercall);
    else if (given !== undefined) released(given, hypercall);
    else if (hypercall.control.code === FINALIZE && hypercall.status === SUCCESS) {
      finalized(readU64(hypercall.input, PARTITION), hypercall.component ?? 'unknown');
    }
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'hypercall') judge(step);
      // What comes then is another kernel's, or events are missing.
      else if (event.kind === 'mark' && event.what === 'gap') {
        held.clear();
        isWhole = false;
      } else if (event.kind === 'lifecycle' && event.phase === 'end' && event.what !== 'process-exit') {
        held.clear();
      }
    },
    end: () => cases.report(),
  };
}
