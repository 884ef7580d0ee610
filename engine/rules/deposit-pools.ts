import { fieldOf, readU64 } from '../abi/index.ts';
import { codeOf } from '../replay/describe.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { type Answered, answered, call, partitionField, status } from './track/hypercall.ts';
import { isHost, type Life, PARTITIONS } from './track/partition-tracker.ts';

const DEPOSIT = call('DEPOSIT_MEMORY');
const WITHDRAW = call('WITHDRAW_MEMORY');
const DELETE = call('DELETE_PARTITION');
const FIELDS = new Map([DEPOSIT, WITHDRAW, DELETE].map((code) => [code, partitionField(code)]));
const LIST = fieldOf('hv_deposit_memory', 'gpa_page_list');
const NO_RESOURCES = status('NO_RESOURCES');

/** The pages that were given to a partition which was created in the trace. */
interface Pool {
  readonly created: Moment;
  pages: number;
  /** The last deposit. */
  deposit: Moment;
}

/** The part of R09 that is about the pages: which are given, and that a partition is not deleted while they are in its pool. */
export function judgePools(rule: string, input: RuleInput): Judge {
  const partitions = input.tracker(PARTITIONS);
  const pools = new Map<bigint, Pool>();
  const cases = new CaseBook(rule, input);

  function poolOf({ id, created }: Life): Pool {
    const known = pools.get(id);
    if (known?.created === created) return known;
    const made = { created, pages: 0, deposit: input.now() };
    pools.set(id, made);
    return made;
  }

  function deleted(component: string, life: Life, pool: Pool): void {
    const culprit = input.now();
    const finding = cases.open(
      { cause: [component, 'not-withdrawn'], severity: 'error', component, culprit, partition: life.id },
      {
        title: `${component} deletes a partition in whose pool there are pages yet`,
        fix: `let ${component} withdraw until NO_RESOURCES before it deletes`,
      },
    );
    if (!finding.concerns(`partition[${life.id}].pool`)) return;
    finding.prove(pool.deposit);
    finding.prove(life.since);
    finding.prove(culprit);
  }

  /** Page 0 is never free: where it ends a list, the count is beyond what was written there. */
  function deposited({ input: given, control, component = 'unknown' }: Answered, partition: bigint): void {
    const last = control.repCount - 1;
    const isWhole = given.length >= LIST.offset + control.repCount * LIST.stride;
    if (last < control.repStart || !isWhole || readU64(given, LIST, last) !== 0n) return;
    const culprit = input.now();
    const finding = cases.open(
      { cause: [component, 'page-0'], severity: 'error', component, culprit, partition },
      {
        title: `${component} deposits page 0, which ends its list of ${control.repCount}`,
        fix: `let ${component} ask for as many elements as its list has`,
      },
    );
    if (finding.concerns(`partition[${partition}].pool`)) finding.prove(culprit);
  }

  return {
    step(step) {
      const { event } = step;
      const field = event.kind === 'hypercall' ? FIELDS.get(codeOf(event.control)) : undefined;
      if (field === undefined || !isHost(step)) return;
      const hypercall = answered(step);
      if (hypercall === undefined) return;
      const id = readU64(hypercall.input, field);
      if (hypercall.control.code === DEPOSIT) deposited(hypercall, id);
      const life = partitions.before(id);
      if (life === undefined) return;
      const pool = poolOf(life);
      switch (hypercall.control.code) {
        case DEPOSIT:
          pool.pages += hypercall.reps;
          pool.deposit = input.now();
          return;
        case WITHDRAW:
          pool.pages = Math.max(0, pool.pages - hypercall.reps);
          // Nothing more to give: a partition that has no objects has no pages left.
          if (hypercall.status === NO_RESOURCES && life.phase !== 'active') pool.pages = 0;
          return;
        default:
          pools.delete(id);
          if (pool.pages > 0 && life.phase !== 'active' && life.phase !== 'finalizing') {
            deleted(hypercall.component ?? 'unknown', life, pool);
          }
      }
    },
    end: () => cases.report(),
  };
}
