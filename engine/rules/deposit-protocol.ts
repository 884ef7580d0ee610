import { type FieldHandle, fieldOf, hypercalls, readU64, statuses } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook, type Words } from './case-book.ts';
import { judgePools } from './deposit-pools.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, Rule, RuleInput } from './rule.ts';
import { eachRun } from './track/frames.ts';
import { type Answered, answered, call, partitionField, SELF, SUCCESS, status } from './track/hypercall.ts';
import { isHost, PARTITIONS } from './track/partition-tracker.ts';

/** The statuses that ask for pages, and whether those are for the pool of the root (Linux 7.2 drivers/hv/hv_proc.c). */
const SHORTAGES: ReadonlyMap<number, 'root' | 'partition'> = new Map([
  [status('INSUFFICIENT_MEMORY'), 'partition'],
  [status('INSUFFICIENT_CONTIGUOUS_MEMORY'), 'partition'],
  [status('INSUFFICIENT_ROOT_MEMORY'), 'root'],
  [status('INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY'), 'root'],
]);
/** These ask for pages that follow each other, eight at once. */
const CONTIGUOUS: ReadonlySet<number> = new Set(
  ['INSUFFICIENT_CONTIGUOUS_MEMORY', 'INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY'].map(status),
);
const CONTIGUOUS_PAGES = 8n;
const DEPOSIT = call('DEPOSIT_MEMORY');
const PAGES = fieldOf('hv_deposit_memory', 'gpa_page_list');
const DEPOSIT_TO = partitionField(DEPOSIT);
const CREATE = call('CREATE_PARTITION');
const ENOMEM = -12;
const EAGAIN = -11;
/** Linux deposits a page a time after a failure; an initialization takes about 208. Twice that, and more, helps nobody. */
const MAX_ROUNDS = 512;
/** Calls that wait for pages at once: one for each program’s call. */
const MAX_WAITING = 4096;

/** A call that was answered with a shortage and has not been made again. */
interface Shortage {
  readonly code: number;
  readonly status: number;
  /** The partition that the call is about, where it names one. */
  readonly named: bigint | undefined;
  /** Who lacks the pages; undefined where the call does not say it. */
  readonly target: bigint | undefined;
  readonly moment: Moment;
  readonly component: string;
  readonly rounds: number;
  served: boolean;
  /** The pages were given, and not taken. */
  refused: boolean;
}

/** R09: who is told that a pool is short puts pages into that pool and makes the call again. */
export const depositProtocol: Rule = {
  id: 'R09',
  severity: 'error',
  title: 'A pool that is short is not given the pages that it lacks, or not relieved of them',
  meaning:
    'A call that needs pages of a pool which has none fails with one of four statuses. Two name the pool of the ' +
    'partition that the call is about, two (…_ROOT_MEMORY) that of the root partition itself. The caller deposits to that ' +
    'pool and makes the same call again, as often as needed: pages in another pool do not help, and the call fails for ' +
    'ever; and where contiguous pages are short, eight in a row help and single ones do not. A deposit lists as many pages as it counts: page 0, which no kernel can give away, at the end of the list is one that nobody wrote there. What was deposited to a partition is withdrawn before the partition is deleted, or it is lost to the machine.',
  silent: [
    'Several rounds of small deposits.',
    'A root pool that is short under a kernel which is not root (an L1VH host): nobody there can help, and it fails at once.',
    'The kernel has no memory itself (ENOMEM), or its deposit is refused.',
    'A kernel up to 6.16 that deposits and returns EAGAIN, for the program to make the call again.',
    'Withdrawing ends with NO_RESOURCES: it is the normal end.',
  ],
  source:
    'TLFS 2013, memory pools; Linux 7.2 drivers/hv/hv_proc.c (hv_deposit_memory_node, hv_call_deposit_pages); Linux ' +
    'commit “mshv: Handle insufficient root memory hypervisor statuses”',
  watches: ['hypercall', 'ioctl'],
  needs: ['hypercall'],
  judge(input) {
    const pools = judgePools(depositProtocol.id, input);
    const shortages = new Shortages(input);
    return {
      step(step, store) {
        pools.step(step, store);
        shortages.step(step);
      },
      end() {
        pools.end();
        shortages.end();
      },
    };
  },
};

type Mistake = 'wrong-pool' | 'scattered' | 'no-deposit' | 'no-retry' | 'endless';

class Shortages implements Judge {
  readonly #input: RuleInput;
  readonly #isRoot: boolean;
  /** By the event in which the call was made, or else by thread. */
  readonly #waiting = new Map<number | string, Shortage>();
  readonly #cases: CaseBook;

  constructor(input: RuleInput) {
    const { role } = input.profile;
    this.#input = input;
    this.#cases = new CaseBook(depositProtocol.id, input);
    this.#isRoot = role === 'root' || role === 'nested-root';
    input.tracker(PARTITIONS);
  }

  step(step: Step): void {
    const { event, returned } = step;
    if (event.kind === 'ioctl') {
      if (!returned) return;
      const shortage = this.#waiting.get(event.seq);
      if (shortage === undefined) return;
      this.#waiting.delete(event.seq);
      if (typeof event.ret === 'number') this.#gaveUp(shortage, event.ret);
      return;
    }
    if (event.kind !== 'hypercall') return;
    // Every call passes here; only few are looked at.
    const isShort = event.result !== undefined && SHORTAGES.has(event.result.status);
    if (!isShort && this.#waiting.size === 0) return;
    const hypercall = isHost(step) ? answered(step) : undefined;
    if (hypercall?.component === undefined) return;
    const { code } = hypercall.control;
    const key = contextOf(step, hypercall.component);
    if (key === undefined) return;
    const before = this.#waiting.get(key);
    if (code === DEPOSIT) {
      if (before !== undefined) this.#deposited(before, hypercall);
      return;
    }
    const again = before !== undefined && isAgain(before, hypercall) ? before : undefined;
    if (again !== undefined) this.#waiting.delete(key);
    if (again !== undefined && isShort && !again.served) this.#found('no-deposit', again);
    if (!isShort) return;
    const shortage = this.#shortageOf(hypercall, again);
    if (shortage.rounds === MAX_ROUNDS) this.#found('endless', shortage);
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(key, shortage);
  }

  end(): void {
    this.#cases.report();
  }

  #shortageOf(hypercall: Answered, again: Shortage | undefined): Shortage {
    const { code } = hypercall.control;
    const field = FIELDS.of(code);
    const named = field === undefined ? undefined : readU64(hypercall.input, field);
    const ofRoot = SHORTAGES.get(hypercall.status) === 'root' || code === CREATE;
    return {
      code,
      status: hypercall.status,
      named,
      target: ofRoot ? SELF : named,
      moment: this.#input.now(),
      component: hypercall.component ?? 'unknown',
      rounds: (again?.rounds ?? 0) + 1,
      served: false,
      refused: false,
    };
  }

  #deposited(shortage: Shortage, hypercall: Answered): void {
    const { input, status: answer, reps } = hypercall;
    if (answer !== SUCCESS && reps === 0) {
      shortage.refused = true;
      return;
    }
    const to = readU64(input, DEPOSIT_TO);
    if (shortage.target === undefined || shortage.target === to) {
      shortage.served = true;
      if (CONTIGUOUS.has(shortage.status) && !isContiguous(hypercall)) this.#found('scattered', shortage);
      return;
    }
    // The id of the own partition is not known: only a child is surely another than SELF.
    const known = this.#input.tracker(PARTITIONS).life(shortage.target === SELF ? to : shortage.target);
    shortage.served = true;
    if (known !== undefined && !this.#isHopeless(shortage)) this.#found('wrong-pool', shortage);
  }

  #gaveUp(shortage: Shortage, ret: number): void {
    const excused = shortage.refused || ret >= 0 || ret === ENOMEM || ret === EAGAIN;
    if (excused || this.#isHopeless(shortage)) return;
    this.#found(shortage.served ? 'no-retry' : 'no-deposit', shortage);
  }

  #isHopeless({ status: answer }: Shortage): boolean {
    return !this.#isRoot && SHORTAGES.get(answer) === 'root';
  }

  #found(mistake: Mistake, of: Shortage): void {
    const { component, moment } = of;
    const atDeposit = mistake === 'wrong-pool' || mistake === 'scattered';
    const finding = this.#cases.open(
      {
        cause: [component, mistake],
        severity: atDeposit || mistake === 'no-deposit' ? 'error' : 'warning',
        component,
        culprit: atDeposit ? this.#input.now() : moment,
        ...(atDeposit ? {} : { shown: this.#input.now() }),
      },
      words(mistake, of),
    );
    const pool =
      of.target === SELF || of.target === undefined ? 'partition.pool' : `partition[${of.target}].pool`;
    if (!finding.concerns(pool)) return;
    finding.prove(moment);
    finding.prove(this.#input.now());
  }
}

/** The same call about the same partition. */
function isAgain({ code, named }: Shortage, { control, input }: Answered): boolean {
  const field = FIELDS.of(control.code);
  return control.code === code && (field === undefined ? undefined : readU64(input, field)) === named;
}

/**
 * Within which a call, a deposit and the call again belong together: what an event made, or one thread did. Where neither is
 * known they may be of several threads.
 */
function contextOf({ event: { tid }, parent }: Step, component: string): number | string | undefined {
  if (parent !== undefined) return parent.seq;
  return tid === undefined ? undefined : `${component} ${tid}`;
}

/** Where calls name their partition, looked up once for each. */
const FIELDS = {
  known: new Map<number, FieldHandle | undefined>(),
  of(code: number): FieldHandle | undefined {
    if (!this.known.has(code)) this.known.set(code, code === CREATE ? undefined : partitionFieldIfAny(code));
    return this.known.get(code);
  },
};

/** Whether eight of the pages that were taken follow each other. */
function isContiguous({ input, control, reps }: Answered): boolean {
  let found = false;
  eachRun(input, PAGES, control.repStart, reps, (_, count) => {
    found ||= count >= CONTIGUOUS_PAGES;
  });
  return found;
}

function partitionFieldIfAny(code: number): FieldHandle | undefined {
  return hypercalls.find(code)?.input === undefined ? undefined : partitionField(code);
}

function words(mistake: Mistake, { component, code, status: answer, target }: Shortage): Words {
  const [name, why] = [hypercalls.name(code), statuses.name(answer)];
  const pool = target === SELF ? 'the own partition (SELF)' : 'the partition that the call is about';
  switch (mistake) {
    case 'wrong-pool':
      return {
        title: `${component} deposits to another pool than the one that ${why} says is short`,
        fix: `let ${component} deposit to ${pool} after ${why}`,
      };
    case 'scattered':
      return {
        title: `${component} deposits pages that do not follow each other after ${why}`,
        fix: `let ${component} deposit ${CONTIGUOUS_PAGES} contiguous pages after ${why}`,
      };
    case 'no-deposit':
      return {
        title: `${component} does not deposit after ${name} was answered with ${why}`,
        fix: `let ${component} deposit to ${pool} and make ${name} again`,
      };
    case 'no-retry':
      return {
        title: `${component} deposits and does not make ${name} again`,
        fix: `let ${component} make ${name} again after the deposit`,
      };
    case 'endless':
      return {
        title: `${component} has deposited ${MAX_ROUNDS} times for one ${name}, which is still short`,
        fix: `let ${component} give up, or deposit as many pages as ${name} takes`,
      };
  }
}
