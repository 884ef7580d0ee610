import { decodeControl, fieldOf, hypercalls, readU32, readU64 } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import type { CallerTracker } from './track/callers.ts';
import { callThatReturns, shownBeside } from './track/maker.ts';
import { requests } from './track/requests.ts';

const IMPORT = hypercalls.number('IMPORT_ISOLATED_PAGES');
const COMPLETE = hypercalls.number('COMPLETE_ISOLATED_IMPORT');
const IMPORTS = new Set(requests('MSHV_IMPORT_ISOLATED_PAGES'));
const COMPLETES = new Set(requests('MSHV_COMPLETE_ISOLATED_IMPORT'));
const CALL = {
  id: fieldOf('hv_input_import_isolated_pages', 'partition_id'),
  type: fieldOf('hv_input_import_isolated_pages', 'page_type'),
  completed: fieldOf('hv_input_complete_isolated_import', 'partition_id'),
};
const TYPE = fieldOf('mshv_import_isolated_pages', 'page_type');
const COUNT = fieldOf('mshv_import_isolated_pages', 'page_count');

/** Types of isolated pages (rust-vmm mshv, hv_isolated_page_type). */
const SECRETS = 4;
const CPUID = 5;
const TYPES = 6;
const NAMES: ReadonlyMap<number, string> = new Map([
  [SECRETS, 'secrets page (type 4)'],
  [CPUID, 'CPUID page (type 5)'],
]);

/** What has been imported into a partition. */
interface Imports {
  readonly pages: Map<number, number>;
  /** The last import of a type that pages without a type of their own get. */
  last: { readonly moment: Moment; readonly component: string } | undefined;
}

/** The part of R25 about the types of isolated pages: judged when the import is completed. */
export function judgeIsolatedPages(rule: string, input: RuleInput, callers: CallerTracker): Judge {
  const partitions = new Map<bigint, Imports>();
  const cases = new CaseBook(rule, input);

  function imported(id: bigint, type: number, pages: number, component: string, moment: Moment): void {
    const known = partitions.get(id) ?? { pages: new Map(), last: undefined };
    partitions.set(id, known);
    known.last = { moment, component };
    const count = (known.pages.get(type) ?? 0) + pages;
    if (type < TYPES) known.pages.set(type, count);
    const name = NAMES.get(type);
    if (type >= TYPES)
      add('type', component, moment, `imports pages of type ${type}, which does not exist`, moment);
    else if (name !== undefined && count > 1)
      add('twice', component, moment, `imports more than one ${name}`, moment);
  }

  function completed(id: bigint, failed: boolean): void {
    const known = partitions.get(id);
    partitions.delete(id);
    if (!failed || known?.last === undefined) return;
    const missing = [...NAMES].filter(([type]) => !known.pages.has(type)).map(([, name]) => name);
    if (missing.length === 0) return;
    const { component, moment } = known.last;
    add(
      'missing',
      component,
      moment,
      `completes an import without a ${missing.join(' and a ')}`,
      input.now(),
    );
  }

  function add(kind: string, component: string, culprit: Moment, what: string, shown: Moment): void {
    const fix = `let ${component} import the secrets page with type ${SECRETS}, the CPUID page with type ${CPUID}, one of each`;
    const root = {
      cause: [component, 'isolated-pages', kind],
      severity: 'error',
      component,
      culprit,
    } as const;
    cases.open({ ...root, ...shownBeside(culprit, shown) }, { title: `${component} ${what}`, fix });
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'hypercall') {
        if (event.input === undefined || callers.callerOf(step) !== undefined) return;
        const { code } = decodeControl(event.control);
        const failed = event.result !== undefined && event.result.status !== 0;
        if (code === COMPLETE) completed(readU64(event.input, CALL.completed), failed);
        if (code !== IMPORT || failed || event.component === undefined) return;
        const type = readU32(event.input, CALL.type);
        imported(readU64(event.input, CALL.id), type, event.result?.reps ?? 0, event.component, input.now());
        return;
      }
      if (event.kind !== 'ioctl' || !step.returned || event.handle.kind !== 'partition') return;
      const failed = (event.ret ?? 0) < 0;
      const id = event.handle.partition ?? 0n;
      if (COMPLETES.has(event.op)) completed(id, failed);
      if (!IMPORTS.has(event.op) || event.arg === undefined || failed) return;
      const moment = callThatReturns(callers, step)?.moment ?? input.now();
      const pages = Number(readU64(event.arg, COUNT));
      imported(id, readU32(event.arg, TYPE), pages, event.component ?? 'vmm', moment);
    },
    end: () => cases.report(),
  };
}
