import { fieldOf, hypercalls, readU64 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import type { PageEvent, PageWhat } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { eachRun, Frames } from './track/frames.ts';
import { type Answered, answered, call, partitionField, status } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';

const DEPOSIT = call('DEPOSIT_MEMORY');
const WITHDRAW = call('WITHDRAW_MEMORY');
const MAP = call('MAP_GPA_PAGES');
const LISTS = new Map([
  [DEPOSIT, fieldOf('hv_deposit_memory', 'gpa_page_list')],
  [MAP, fieldOf('hv_input_map_gpa_pages', 'source_gpa_page_list')],
]);
const WITHDRAWN = fieldOf('hv_output_withdraw_memory', 'gpa_page_list');
/** How a page that the hypervisor has is refused. */
const REFUSALS: ReadonlySet<number> = new Set(
  ['OPERATION_DENIED', 'OBJECT_IN_USE', 'ACCESS_DENIED'].map(status),
);

/** What the kernel must not do with a page that it has given away. */
const TOUCHES: Readonly<Record<PageWhat, string | undefined>> = {
  alloc: 'hands out',
  free: 'frees',
  write: 'writes to',
  snapshot: undefined,
};
const PAGE_SHIFT = 12n;

interface Given {
  readonly partition: bigint;
  readonly moment: Moment;
}

/** R43: a page that was deposited is the hypervisor’s until it is withdrawn. */
export const depositedPages: Rule = {
  id: 'R43',
  severity: 'error',
  title: 'A page that was deposited is used again before it was withdrawn',
  meaning:
    'A page in a pool belongs to the hypervisor alone until a withdrawal gives it back. Depositing it once more is refused ' +
    'with OPERATION_DENIED, mapping it into a guest with OBJECT_IN_USE; the kernel that touches it itself takes a fault. ' +
    'Whoever asks for that has lost count of which pages it gave away: often a failed deposit freed the pages that the ' +
    'hypervisor had taken already.',
  silent: [
    'A page that was withdrawn is deposited or mapped again.',
    'A refusal of a page that is in no pool that the trace shows.',
    'Withdrawals whose pages were not recorded, a gap, another kernel: then nobody knows which pages are where.',
  ],
  source:
    'TLFS 2013, HvDepositMemory and HvMapGpaPages; Linux 7.2 drivers/hv/hv_proc.c (hv_call_deposit_pages)',
  watches: [{ kind: 'hypercall', codes: [DEPOSIT, WITHDRAW, MAP] }, 'page', 'lifecycle', 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(depositedPages.id, input);
    const given = new Frames<Given>();

    function deposited({ input: bytes, control, reps }: Answered): void {
      const list = LISTS.get(DEPOSIT);
      if (list === undefined) return;
      const value = { partition: readU64(bytes, PARTITION), moment: input.now() };
      eachRun(bytes, list, control.repStart, reps, (first, count) => given.add(first, count, value));
    }

    function withdrawn({ output, reps, control }: Answered): void {
      const count = reps - control.repStart;
      if (count <= 0) return;
      if (output === undefined || output.length < WITHDRAWN.stride * reps) {
        given.clear();
        return;
      }
      eachRun(output, WITHDRAWN, control.repStart, reps, (first, pages) => given.remove(first, pages));
    }

    function refused({ control, input: bytes, reps, component = 'unknown' }: Answered): void {
      const list = LISTS.get(control.code);
      if (list === undefined || reps >= control.repCount) return;
      const frame = readU64(bytes, list, reps);
      const before = given.get(frame);
      if (before === undefined) return;
      const name = hypercalls.name(control.code);
      const finding = cases.open(
        {
          cause: [component, name],
          severity: 'error',
          component,
          culprit: input.now(),
          partition: before.partition,
        },
        {
          title: `${component} makes ${name} with a page that it has deposited`,
          fix: `let ${component} use the page again only after HVCALL_WITHDRAW_MEMORY gave it back`,
        },
      );
      if (!finding.concerns(`partition[${before.partition}].pool`)) return;
      finding.prove(before.moment);
      finding.prove(input.now());
    }

    /** The kernel takes up a page, or gives it to another. */
    function touched({ gpa, what, component = 'unknown' }: PageEvent): void {
      const verb = TOUCHES[what];
      const before = gpa === undefined || verb === undefined ? undefined : given.get(gpa >> PAGE_SHIFT);
      if (before === undefined) return;
      const finding = cases.open(
        {
          cause: [component, what],
          severity: 'error',
          component,
          culprit: input.now(),
          partition: before.partition,
        },
        {
          title: `${component} ${verb} a page that it has deposited`,
          fix: `let ${component} keep pages that the hypervisor took, also when the deposit fails later, until they are withdrawn`,
        },
      );
      if (!finding.concerns(`partition[${before.partition}].pool`)) return;
      finding.prove(before.moment);
      finding.prove(input.now());
    }

    function judge(step: Step): void {
      const hypercall = isHost(step) ? answered(step) : undefined;
      if (hypercall === undefined) return;
      if (REFUSALS.has(hypercall.status)) refused(hypercall);
      if (hypercall.control.code === WITHDRAW) withdrawn(hypercall);
      else if (hypercall.control.code === DEPOSIT) deposited(hypercall);
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'hypercall') judge(step);
        else if (event.kind === 'page') {
          if (event.page === 'ram' && event.vp === undefined) touched(event);
        } else if (
          event.kind === 'mark' ? event.what === 'gap' : event.kind === 'lifecycle' && event.phase === 'end'
        ) {
          given.clear();
        }
      },
      end: () => cases.report(),
    };
  },
};

const PARTITION = partitionField(DEPOSIT);
