import { fieldOf, readU32, readU64, registers, structOf } from '../abi/index.ts';
import type { PageBytes, PageEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { type Answered, answered, call } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';
import { REGISTER_PAGE_DIRTY, REGISTER_PAGE_VALID, readPage, registerField } from './track/register-page.ts';
import { RUN_VP } from './track/requests.ts';
import { RUNS, vpKey } from './track/runs.ts';

const GET = call('GET_VP_REGISTERS');
const SET = call('SET_VP_REGISTERS');
const PARTITION = fieldOf('hv_input_get_vp_registers', 'partition_id');
const VP = fieldOf('hv_input_get_vp_registers', 'vp_index');
const NAME = fieldOf('hv_input_get_vp_registers', 'names');
const SET_NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');

/** The registers of each dirty bit (Linux 7.2 include/hyperv/hvhdk.h, HV_X64_REGISTER_CLASS_…), and where they stand on the page. */
const CLASSES = (
  [
    ['GENERAL', 'RAX', 'R15'],
    ['IP', 'RIP', 'RIP'],
    ['XMM', 'XMM0', 'XMM5'],
    ['SEGMENT', 'ES', 'GS'],
    ['FLAGS', 'RFLAGS', 'RFLAGS'],
  ] as const
).map(([name, first, last], i) => ({
  ...{ name, bit: 1 << i },
  first: registers.number(`HV_X64_REGISTER_${first}`),
  last: registers.number(`HV_X64_REGISTER_${last}`),
  from: registerField(first).offset,
  to: registerField(last).offset + registerField(last).length,
}));

/** Who may write to the page while the VP runs: with atomic operations. */
const KERNEL = new Set(['mshv', 'hypervisor', 'unknown']);
const MAX_VPS = 4096;
const WHOLE_BYTES = structOf('hv_vp_register_page').size;

/** What is known of the register page of a VP. */
interface Shared {
  valid: boolean | undefined;
  dirty: number;
  /** Classes of which registers were changed, whether they are marked or not. */
  changed: number;
  by: string;
  since: Moment;
}

/** Classes of which an event shows registers; one that shows the whole page does not say which were changed. */
function classesIn(bytes: readonly PageBytes[] = []): number {
  let classes = 0;
  for (const { offset, bytes: part } of bytes) {
    if (part.length >= WHOLE_BYTES) continue;
    for (const { bit, from, to } of CLASSES) if (offset < to && offset + part.length > from) classes |= bit;
  }
  return classes;
}

/** R17: the register page is used while it is valid and the VP stands still, and what was put into it is not passed by. */
export const registerPage: Rule = {
  id: 'R17',
  severity: 'error',
  title: 'The register page of a VP is used when it may not be, or what was put into it is passed by',
  meaning:
    'The register page shows the registers of a VP that has stopped, while its flag isvalid says so. Who changes a register ' +
    'there sets the dirty bit of its class, and the hypervisor takes it over when the VP runs next. Until then the VP ' +
    'itself still has the old value: read through HVCALL_GET_VP_REGISTERS, for a snapshot, it is lost. What is written ' +
    'while the VP runs, or while the page is not valid, is lost as well, and so is a register of which the bit is not set when the VP ' +
    'runs next.',
  silent: [
    'The page itself is read for the snapshot.',
    'The registers were set by HVCALL_SET_VP_REGISTERS, or the VP has run, or the dirty bits were taken back.',
    'A register that no dirty bit stands for is read from the VP.',
    'The kernel adds an interrupt to the page of a VP that runs.',
    'A VP that ends with dirty registers: nobody needs them any more.',
    'An event that shows the page as a whole: which registers were changed does not stand there.',
  ],
  source:
    'Linux 7.2 include/hyperv/hvhdk.h (hv_vp_register_page); OpenVMM pull request 1077; Cloud Hypervisor pull request 7119',
  watches: [{ kind: 'hypercall', codes: [GET, SET] }, { kind: 'ioctl', ops: RUN_VP }, 'page', 'mark'],
  needs: ['page'],
  judge(input) {
    const runs = input.tracker(RUNS);
    const cases = new CaseBook(registerPage.id, input);
    const pages = new Map<string, Shared>();

    function found(
      cause: string,
      component: string,
      culprit: Moment,
      key: string,
      title: string,
      fix: string,
    ): void {
      const [partition, index] = key.split('.');
      const shown = input.now();
      const finding = cases.open(
        {
          cause: [component, cause],
          severity: 'error',
          component,
          culprit,
          shown,
          partition: BigInt(partition ?? 0),
          vp: Number(index),
        },
        { title, fix },
      );
      if (!finding.concerns(`partition[${partition}].vp[${index}]`)) return;
      finding.prove(culprit);
      finding.prove(shown);
    }

    function written(event: PageEvent, key: string, page: Shared, dirty: bigint | undefined): void {
      const { component = 'vmm' } = event;
      const now = input.now();
      if (dirty === undefined) return;
      if (dirty !== 0n && !KERNEL.has(component)) {
        const [partition, index] = key.split('.');
        const inside = runs.of(BigInt(partition ?? 0), Number(index))?.inside;
        if (inside !== undefined) {
          const title = `${component} changes the register page of a VP that runs`;
          found(
            'running',
            component,
            now,
            key,
            title,
            `let ${component} wait until MSHV_RUN_VP has returned`,
          );
        } else if (page.valid === false) {
          const title = `${component} changes a register page that is not valid`;
          found(
            'invalid',
            component,
            now,
            key,
            title,
            `let ${component} test isvalid, and use HVCALL_SET_VP_REGISTERS where it is 0`,
          );
        }
      }
      page.dirty = Number(dirty);
      if (!KERNEL.has(component)) page.changed |= classesIn(event.bytes);
      page.by = component;
      page.since = now;
    }

    /** The VP runs: what is marked the hypervisor takes over, and the page is not valid before the VP has stopped. */
    function ran(key: string, page: Shared): void {
      const lost = CLASSES.filter(({ bit }) => (page.changed & ~page.dirty & bit) !== 0).map(
        ({ name }) => name,
      );
      if (lost.length > 0) {
        const title = `${page.by} changes registers on the register page and does not mark them: the VP goes on without (${lost.join(', ')})`;
        const fix = `let ${page.by} set the bit of HV_X64_REGISTER_CLASS_${lost[0]} in dirty before MSHV_RUN_VP`;
        found('unmarked', page.by, page.since, key, title, fix);
      }
      page.dirty = 0;
      page.changed = 0;
      page.valid = undefined;
    }

    function onPage(event: PageEvent): void {
      const { vp, what, bytes } = event;
      if (event.page !== 'register' || vp?.partition === undefined || vp.vp === undefined) return;
      const key = vpKey(vp.partition, vp.vp);
      if (pages.size >= MAX_VPS && !pages.has(key)) pages.clear();
      const page = pages.get(key) ?? {
        valid: undefined,
        dirty: 0,
        changed: 0,
        by: 'vmm',
        since: input.now(),
      };
      pages.set(key, page);
      const valid = readPage(bytes, REGISTER_PAGE_VALID);
      if (valid !== undefined) page.valid = valid !== 0n;
      const dirty = readPage(bytes, REGISTER_PAGE_DIRTY);
      if (what === 'write') written(event, key, page, dirty);
      else if (what === 'snapshot' && dirty === 0n) {
        page.dirty = 0;
        page.changed = 0;
      } else if (what === 'alloc' || what === 'free') pages.delete(key);
    }

    function called({ control, input: given, reps }: Answered): void {
      const key = vpKey(readU64(given, PARTITION), readU32(given, VP));
      const page = pages.get(key);
      if (page === undefined || (page.dirty | page.changed) === 0) return;
      const names = control.code === GET ? NAME : SET_NAME;
      for (let i = control.repStart; i < reps; i++) {
        const name = readU32(given, names, i);
        const of = CLASSES.find(
          ({ bit, first, last }) =>
            ((page.dirty | page.changed) & bit) !== 0 && name >= first && name <= last,
        );
        if (of === undefined) continue;
        if (control.code === SET) {
          page.dirty &= ~of.bit;
          page.changed &= ~of.bit;
        } else if ((page.dirty & of.bit) !== 0) {
          const title = `${registers.name(name)} is read from the VP while the register page has a newer value`;
          const fix = `let ${page.by} read it from the register page, or write what is dirty there to the VP first`;
          found('passed-by', page.by, input.now(), key, title, fix);
          return;
        }
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'page') onPage(event);
        else if (event.kind === 'ioctl') {
          const page = runs.entered === undefined ? undefined : pages.get(runs.entered.key);
          if (page !== undefined && runs.entered !== undefined) ran(runs.entered.key, page);
        } else if (event.kind === 'hypercall') {
          const hypercall = pages.size > 0 && isHost(step) ? answered(step) : undefined;
          if (hypercall !== undefined) called(hypercall);
        } else if (event.kind === 'mark' && event.what === 'gap') pages.clear();
      },
      end: () => cases.report(),
    };
  },
};
