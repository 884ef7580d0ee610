import { constantNumber, fieldOf, readU32, readU64 } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { answered, call, status } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';
import { isHost } from './track/partition-tracker.ts';

const INSTALL = call('INSTALL_INTERCEPT');
const INVALID_PARAMETER = status('INVALID_PARAMETER');
const PARTITION = fieldOf('hv_input_install_intercept', 'partition_id');
const ACCESS = fieldOf('hv_input_install_intercept', 'access_type');
const TYPE = fieldOf('hv_input_install_intercept', 'intercept_type');

const READ = constantNumber('HV_INTERCEPT_ACCESS_MASK_READ');
const WRITE = constantNumber('HV_INTERCEPT_ACCESS_MASK_WRITE');
const EXECUTE = constantNumber('HV_INTERCEPT_ACCESS_MASK_EXECUTE');

interface Row {
  readonly name: string;
  readonly allowed: number;
  readonly words: string;
}

const row = (name: string, allowed: number, words: string): [number, Row] => [
  constantNumber(`HV_INTERCEPT_TYPE_${name}`),
  { name, allowed, words },
];
/** What can be intercepted of what a VP does, by type. Of the types that are not here we do not know it. */
const TYPES: ReadonlyMap<number, Row> = new Map([
  row('X64_IO_PORT', READ | WRITE, 'READ and WRITE'),
  row('X64_MSR', READ | WRITE, 'READ and WRITE'),
  row('X64_MSR_INDEX', READ | WRITE, 'READ and WRITE'),
  row('X64_CPUID', EXECUTE, 'EXECUTE'),
  row('X64_GLOBAL_CPUID', EXECUTE, 'EXECUTE'),
  row('EXCEPTION', EXECUTE, 'EXECUTE'),
  row('HYPERCALL', EXECUTE, 'EXECUTE'),
]);

/** R42: an intercept is installed for accesses that its type has. */
export const interceptAccess: Rule = {
  id: 'R42',
  severity: 'error',
  title: 'An intercept is installed for an access that its type does not have',
  meaning:
    'Ports and MSRs are read and written, CPUID, exceptions and hypercalls are executed; the mask of an intercept has no ' +
    'other bits, or the call is refused with INVALID_PARAMETER and nothing is intercepted. The mask has a bit for each ' +
    'access (READ 1, WRITE 2, EXECUTE 4); the numbers of the access that an intercept message tells of are others ' +
    '(0, 1, 2), and one taken for the other gives a wrong mask.',
  silent: [
    'A mask of 0, which takes the intercept away.',
    'A refusal for another reason.',
    'A type of which we do not know it.',
  ],
  source: 'TLFS 2013, HvInstallIntercept; Linux 7.2 include/hyperv/hvhdk.h (HV_INTERCEPT_ACCESS_MASK_…)',
  watches: [{ kind: 'hypercall', codes: [INSTALL] }],
  needs: ['hypercall'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(interceptAccess.id, input);
    return {
      step(step) {
        const { event } = step;
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (event.kind !== 'hypercall' || hypercall?.status !== INVALID_PARAMETER) return;
        const type = TYPES.get(readU32(hypercall.input, TYPE));
        const access = readU32(hypercall.input, ACCESS);
        if (type === undefined || (access & ~type.allowed) === 0) return;
        const maker = makerOf(callers, step, event, input.now);
        if (maker === undefined) return;
        const { component, moment } = maker;
        const partition = readU64(hypercall.input, PARTITION);
        const finding = cases.open(
          { cause: [component, type.name], severity: 'error', component, culprit: moment, partition },
          {
            title: `${component} installs an intercept of type ${type.name} with access mask 0x${access.toString(16)}, which it does not have`,
            fix: `let ${component} ask for ${type.words} of ${type.name}`,
          },
        );
        if (!finding.concerns(`partition[${partition}].intercept`)) return;
        finding.prove(moment);
        finding.prove(input.now());
      },
      end: () => cases.report(),
    };
  },
};
