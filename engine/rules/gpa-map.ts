import { fieldOf, readU32, readU64 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import type { IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import { judgePageLists } from './gpa-page-list.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, Rule, RuleInput } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { callThatReturns } from './track/maker.ts';
import { PARTITIONS } from './track/partition-tracker.ts';
import { type Region, type Regions, RegionTable } from './track/regions.ts';
import { MAP, UNMAP } from './track/rep-call.ts';
import { requests } from './track/requests.ts';

const SET_MEMORY = requests('MSHV_SET_GUEST_MEMORY');
const SIZE = fieldOf('mshv_user_mem_region', 'size');
const GUEST_PFN = fieldOf('mshv_user_mem_region', 'guest_pfn');
const ADDRESS = fieldOf('mshv_user_mem_region', 'userspace_addr');
const FLAGS = fieldOf('mshv_user_mem_region', 'flags');
const UNMAP_FLAG = 4;
const PAGE_BYTES = 4096n;
/** How Linux refuses a region that it does not know, or knows otherwise: ENOENT, EINVAL. */
const REFUSALS: ReadonlySet<number> = new Set([-2, -22]);

/** R11: regions of guest memory lie apart, are unmapped as they were mapped, and have pages behind them. */
export const gpaMap: Rule = {
  id: 'R11',
  severity: 'error',
  title:
    'Guest memory is mapped over other memory, unmapped otherwise than it was mapped, or has no pages behind it',
  meaning:
    'A partition has regions of guest memory which share no guest frame: the hypervisor replaces what was mapped before ' +
    'without a word, and unmapping one region then tears a hole into the other. A kernel refuses such a region (EEXIST), ' +
    'also one that holds another entirely. A region is unmapped as it was mapped: same first frame, size and ' +
    'user address; a part of it or several at once are refused. Behind each frame that is mapped with access stands a ' +
    'page: a list with zeros, or with what the list of another mapping had there, gives the guest memory that is not its own.',
  silent: [
    'Regions that touch; a region mapped again after it was unmapped; one user address in two regions.',
    'An overlap that is refused.',
    'A mapping without access: it has no pages behind it.',
    'A page list that repeats pages on purpose, or is that of the same frames mapped anew.',
    'What was mapped before the recording began, or in a gap of it, is not known: a refused unmap may be about that.',
  ],
  source:
    'TLFS 2013, HvMapGpaPages; Linux 7.2 drivers/hv/mshv_root_main.c (mshv_partition_create_region), mshv_regions.c; ' +
    'Linux commit ba9eb9b86d23 “mshv: Fix create memory region overlap check”',
  watches: [{ kind: 'ioctl', ops: SET_MEMORY }, { kind: 'hypercall', codes: [MAP, UNMAP] }, 'mark'],
  needs: [],
  judge(input) {
    const lists = judgePageLists(gpaMap.id, input);
    const regions = new RegionJudge(input);
    return {
      step(step, store) {
        if (step.event.kind === 'hypercall') lists.step(step, store);
        else regions.step(step);
      },
      end() {
        regions.end();
        lists.end();
      },
    };
  },
};

class RegionJudge implements Judge {
  readonly #input: RuleInput;
  readonly #cases: CaseBook;
  readonly #callers;
  readonly #partitions;
  readonly #regions: RegionTable;
  /** Nothing of what was mapped is missing from the trace. */
  #complete: boolean;

  constructor(input: RuleInput) {
    this.#input = input;
    this.#cases = new CaseBook(gpaMap.id, input);
    this.#callers = input.tracker(CALLERS);
    this.#partitions = input.tracker(PARTITIONS);
    this.#regions = new RegionTable((partition) => this.#partitions.life(partition)?.created.step);
    this.#complete = input.profile.initial !== 'unknown';
  }

  step(step: Step): void {
    const { event, returned } = step;
    if (event.kind === 'mark') {
      if (event.what !== 'gap') return;
      this.#complete = false;
      this.#regions.clear();
      return;
    }
    if (event.kind !== 'ioctl' || !returned || event.handle.kind !== 'partition') return;
    const { partition } = event.handle;
    if (partition === undefined || event.arg === undefined) return;
    const made = callThatReturns(this.#callers, step)?.moment ?? this.#input.now();
    this.#returned(event, partition, event.arg, made);
  }

  end(): void {
    this.#cases.report();
  }

  #returned(event: IoctlEvent, partition: bigint, arg: Uint8Array, moment: Moment): void {
    const region: Region = {
      first: readU64(arg, GUEST_PFN),
      pages: readU64(arg, SIZE) / PAGE_BYTES,
      address: readU64(arg, ADDRESS),
      moment,
    };
    const regions = this.#regions.of(partition);
    if ((readU32(arg, FLAGS) & UNMAP_FLAG) === 0) {
      if (event.ret !== 0 || region.pages === 0n) return;
      const [other] = regions.overlapping(region);
      if (other !== undefined) this.#overlap(partition, other, region);
      regions.add(region);
    } else if (event.ret === 0) {
      regions.remove(region);
    } else if (typeof event.ret === 'number' && REFUSALS.has(event.ret)) {
      this.#refused(event, partition, regions, region);
    }
  }

  #overlap(partition: bigint, other: Region, region: Region): void {
    const finding = this.#cases.open(
      {
        cause: ['mshv', 'overlap'],
        severity: 'error',
        component: 'mshv',
        culprit: region.moment,
        partition,
      },
      {
        title: `a region is mapped over guest frames ${frames(other)}, which are mapped already`,
        fix: 'let mshv refuse a region that shares any guest frame with another (EEXIST): first below the other’s end, end above its first',
      },
    );
    if (!finding.concerns(`partition[${partition}].gpa[0x${region.first.toString(16)}]`)) return;
    finding.prove(other.moment);
    finding.prove(region.moment);
  }

  #refused(event: IoctlEvent, partition: bigint, regions: Regions, region: Region): void {
    const isKnown = this.#complete || regions.since !== undefined;
    if (!isKnown || regions.isFull || regions.has(region)) return;
    const over = regions.overlapping(region);
    const component = event.component ?? 'vmm';
    const what = over.length === 0 ? 'none' : over.length === 1 ? 'part' : 'several';
    const held = { none: 'no region', part: 'another region', several: `${over.length} regions` }[what];
    const finding = this.#cases.open(
      { cause: [component, 'unmap', what], severity: 'error', component, culprit: region.moment, partition },
      {
        title: `${component} unmaps guest frames ${frames(region)}, where ${held} ${over.length > 1 ? 'are' : 'is'} mapped`,
        fix:
          what === 'none'
            ? `let ${component} unmap what it has mapped and not unmapped yet`
            : `let ${component} unmap each region as it was mapped: ${over.map(frames).join(', ')}`,
      },
    );
    if (!finding.concerns(`partition[${partition}].gpa[0x${region.first.toString(16)}]`)) return;
    for (const { moment } of over) finding.prove(moment);
    finding.prove(region.moment);
  }
}

function frames({ first, pages }: { first: bigint; pages: bigint }): string {
  return `0x${first.toString(16)} to 0x${(first + pages - 1n).toString(16)}`;
}
