import { fieldOf, hypercalls, partitionProperties, readU32, readU64 } from '../abi/index.ts';
import { PHASES } from '../hypervisor/partition/phases.ts';
import { codeOf } from '../replay/describe.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { answered, call, partitionField, status } from './track/hypercall.ts';
import { programOf } from './track/maker.ts';
import { isHost, type Life, PARTITIONS, type Phase } from './track/partition-tracker.ts';
import { RUN_VP } from './track/requests.ts';

/** The calls that are legal in the states of each row of engine/hypervisor/partition/phases.ts. */
const CALLS: Readonly<Record<keyof typeof PHASES, readonly string[]>> = {
  INITIALIZE_PARTITION: ['INITIALIZE_PARTITION'],
  FINALIZE_PARTITION: ['FINALIZE_PARTITION'],
  DELETE_PARTITION: ['DELETE_PARTITION'],
  DEPOSIT_MEMORY: ['DEPOSIT_MEMORY'],
  WITHDRAW_MEMORY: ['WITHDRAW_MEMORY'],
  GET_PARTITION_PROPERTY: ['GET_PARTITION_PROPERTY', 'GET_PARTITION_PROPERTY_EX'],
  SET_PARTITION_PROPERTY: ['SET_PARTITION_PROPERTY'],
  CREATE_VP: ['CREATE_VP'],
  DELETE_VP: ['DELETE_VP'],
  VP_REGISTERS: ['GET_VP_REGISTERS', 'SET_VP_REGISTERS'],
  DISPATCH_VP: ['DISPATCH_VP'],
  STATE_PAGE: ['MAP_VP_STATE_PAGE', 'UNMAP_VP_STATE_PAGE'],
  STATS_PAGE: ['MAP_STATS_PAGE', 'MAP_STATS_PAGE2', 'UNMAP_STATS_PAGE'],
  GPA: ['MAP_GPA_PAGES', 'UNMAP_GPA_PAGES', 'GET_GPA_PAGES_ACCESS_STATES'],
  VP_STATE: ['GET_VP_STATE', 'SET_VP_STATE'],
  INTERCEPT: ['INSTALL_INTERCEPT', 'REGISTER_INTERCEPT_RESULT'],
  INTERRUPT: ['ASSERT_VIRTUAL_INTERRUPT', 'CLEAR_VIRTUAL_INTERRUPT'],
  PORT: ['CREATE_PORT', 'CONNECT_PORT', 'DELETE_PORT', 'DISCONNECT_PORT'],
};

interface Row {
  readonly name: string;
  readonly field: ReturnType<typeof partitionField>;
  readonly legal: readonly string[];
}

const ROWS = new Map<number, Row>();
for (const [key, names] of Object.entries(CALLS)) {
  const legal = PHASES[key as keyof typeof PHASES];
  for (const name of names) {
    const code = call(name);
    ROWS.set(code, { name: hypercalls.name(code), field: partitionField(code), legal });
  }
}

const INVALID_PARTITION_STATE = status('INVALID_PARTITION_STATE');
const INVALID_PARTITION_ID = status('INVALID_PARTITION_ID');
/** Linux’ tear-down unmaps what is left after it has finalized, and ignores the answer (mshv_root_main.c). */
const UNMAP = call('UNMAP_GPA_PAGES');
const SET_PROPERTY = call('SET_PARTITION_PROPERTY');
const PROPERTY = fieldOf('hv_input_set_partition_property', 'property_code');
const REFERENCE_TIME = partitionProperties.number('REFERENCE_TIME');

/** Whether a call that comes in a wrong phase is a finding of this rule. */
export function hasPhases(code: number): boolean {
  return ROWS.has(code);
}

/** Partitions of which a wrong call is remembered. */
const MAX_PARTITIONS = 4096;
const PREREQUISITE: Readonly<Record<Phase, string>> = {
  uninitialized: 'after it was initialized',
  active: 'before it is initialized or after it was finalized',
  finalizing: 'before it is finalized',
  finalized: 'before it is finalized',
  deleted: 'before it is deleted',
};

/** R10: each call on a partition has the phases of its life in which it is legal. */
export const partitionPhase: Rule = {
  id: 'R10',
  severity: 'error',
  title: 'A call on a partition comes in a phase of its life that does not allow it',
  meaning:
    'A partition is created, initialized (then it is active: it has VPs, memory, ports), finalized and deleted; each call ' +
    'that names it is legal in some of these phases alone, and is answered with INVALID_PARTITION_STATE in the others, ' +
    'or INVALID_PARTITION_ID after it was deleted. The reference time can be set while the time of the partition stands ' +
    'still (property TIME_FREEZE) and at no other time; whoever freezes it lets it go on before a VP runs. Privileges ' +
    'and synthetic features are set before the partition is initialized. One finding covers what one component does to ' +
    'one partition in a wrong phase, and the first such call names it.',
  silent: [
    'Pages deposited to, withdrawn from and a delete of a partition that was never initialized: the drivers give up so.',
    'The tear-down that unmaps memory after it has finalized the partition, as Linux does.',
    'The partition was frozen long ago, and is still.',
    'A partition whose creation is not in the trace: its phase is not known.',
  ],
  source:
    'TLFS 2013, partition states; Linux 7.2 drivers/hv/mshv_root_main.c; OpenVMM pull requests 3313 and 4477 (time is frozen ' +
    'while the reference time is set)',
  watches: [
    { kind: 'hypercall', codes: [...ROWS.keys()] },
    { kind: 'ioctl', ops: RUN_VP },
  ],
  needs: ['hypercall'],
  judge(input) {
    const partitions = input.tracker(PARTITIONS);
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(partitionPhase.id, input);
    /** The first wrong call of each component on each partition, while that is in one phase. */
    const wrong = new Map<string, { readonly since: Moment; readonly finding: OpenFinding }>();

    /** One finding for each thing that one component does wrongly; its partitions are what it is about. */
    function found(
      what: string,
      life: Life,
      by: { component: string; moment: Moment },
      words: Words & { proof: Moment; severity: 'error' | 'warning' },
    ): OpenFinding {
      const { component, moment: culprit } = by;
      const { severity } = words;
      const finding = cases.open(
        { cause: [component, what], severity, component, culprit, partition: life.id },
        words,
      );
      if (!finding.concerns(`partition[${life.id}].state`)) return finding;
      finding.prove(words.proof);
      finding.prove(by.moment);
      finding.prove(input.now());
      return finding;
    }

    /** Whoever asked for it: a kernel that is told to do something in the wrong order passes that on. */
    function blamed(step: Step): { component: string; moment: Moment } {
      const caller = callers.callerOf(step);
      if (caller !== undefined) return programOf(caller);
      return { component: step.event.component ?? 'unknown', moment: input.now() };
    }

    function judgeCall(step: Step): void {
      const { event } = step;
      if (event.kind !== 'hypercall' || event.result === undefined) return;
      // Nearly every call is answered otherwise.
      const { status: answer } = event.result;
      const mayBeWrong = answer === INVALID_PARTITION_STATE || answer === INVALID_PARTITION_ID;
      if (!mayBeWrong && codeOf(event.control) !== SET_PROPERTY) return;
      const hypercall = isHost(step) ? answered(step) : undefined;
      const row = hypercall === undefined ? undefined : ROWS.get(hypercall.control.code);
      if (hypercall === undefined || row === undefined) return;
      const { code } = hypercall.control;
      const wrongTime = code === SET_PROPERTY && readU32(hypercall.input, PROPERTY) === REFERENCE_TIME;
      const refused =
        hypercall.status === INVALID_PARTITION_STATE || hypercall.status === INVALID_PARTITION_ID;
      if (!refused && !wrongTime) return;
      const life = partitions.before(readU64(hypercall.input, row.field));
      if (life === undefined) return;
      const by = blamed(step);
      if (refused && !row.legal.includes(life.phase)) {
        if (code === UNMAP && life.phase === 'finalized') return;
        const key = `${by.component} ${life.id}`;
        const before = wrong.get(key);
        if (before?.since === life.since) {
          // Whoever takes a partition for what it is not goes on so: it is the same mistake.
          before.finding.explains(row.name, input.now());
          return;
        }
        const finding = found(`${row.name}:${life.phase}`, life, by, {
          severity: 'error',
          title: `${by.component} makes ${row.name} on a partition that is ${life.phase}`,
          fix: `let ${by.component} make ${row.name} ${PREREQUISITE[life.phase]}`,
          proof: life.since,
        });
        if (wrong.size < MAX_PARTITIONS) wrong.set(key, { since: life.since, finding });
      } else if (wrongTime && life.phase === 'active' && !life.frozen) {
        found('reference-time', life, by, {
          severity: 'error',
          title: `${by.component} sets the reference time of a partition whose time runs`,
          fix: `let ${by.component} set TIME_FREEZE to 1 before REFERENCE_TIME, and to 0 before a VP runs`,
          proof: life.frozenSince,
        });
      } else if (refused && code === SET_PROPERTY && !wrongTime) {
        const name = partitionProperties.name(readU32(hypercall.input, PROPERTY));
        const right = life.phase === 'uninitialized' ? 'after' : 'before';
        found(`${name}:${life.phase}`, life, by, {
          severity: 'error',
          title: `${by.component} sets ${name} of a partition that is ${life.phase}`,
          fix: `let ${by.component} set ${name} ${right} MSHV_INITIALIZE_PARTITION`,
          proof: life.since,
        });
      }
    }

    return {
      step(step) {
        const { event, returned } = step;
        if (event.kind !== 'ioctl') {
          judgeCall(step);
          return;
        }
        if (returned || event.handle.kind !== 'vp' || event.handle.partition === undefined) return;
        const life = partitions.life(event.handle.partition);
        if (life === undefined || !life.frozen || life.phase !== 'active') return;
        found(
          'frozen',
          life,
          { component: event.component ?? 'vmm', moment: input.now() },
          {
            severity: 'warning',
            title: `a VP of a partition runs whose time stands still`,
            fix: 'set TIME_FREEZE to 0 before MSHV_RUN_VP',
            proof: life.frozenSince,
          },
        );
      },
      end: () => cases.report(),
    };
  },
};
