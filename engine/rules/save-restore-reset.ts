import { fieldOf, hexOf, hypercalls, lowHalf, msrs, readU32, readU64 } from '../abi/index.ts';
import type { HypercallEvent, LifecycleEvent, MsrEvent } from '../trace/event.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { type ActiveRegister, GuestState, Window } from './track/guest-state.ts';
import { MAX_CPUS } from './track/synic-registers.ts';
import { SYNTHETIC_MSRS, SYNTHETIC_NAMES, type SyntheticRegister } from './track/synthetic-registers.ts';
import { list } from './words.ts';

const GET_VP_REGISTERS = hypercalls.number('HVCALL_GET_VP_REGISTERS');
const SET_VP_REGISTERS = hypercalls.number('HVCALL_SET_VP_REGISTERS');
const DELETE_PARTITION = hypercalls.number('HVCALL_DELETE_PARTITION');
const PARTITION = fieldOf('hv_input_get_vp_registers', 'partition_id');
const VP = fieldOf('hv_input_get_vp_registers', 'vp_index');
const GET_NAME = fieldOf('hv_input_get_vp_registers', 'names');
const SET_NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');
const SET_VALUE = fieldOf('hv_input_set_vp_registers', 'elements.value.reg64');
/** Partitions that are followed at a time. */
const MAX_PARTITIONS = 1024;

type Mistake = 'save' | 'restore' | 'reset';

interface Case {
  readonly mistake: Mistake;
  readonly registers: Set<string>;
}

/** R18: what is on is saved and restored; what was reset is off. */
export const saveRestoreReset: Rule = {
  id: 'R18',
  severity: 'error',
  title: 'Synthetic registers are left out of a save or a restore, or outlive a reset',
  meaning:
    'What a guest has switched on (GUEST_OS_ID, HYPERCALL, REFERENCE_TSC, VP_ASSIST_PAGE, SIMP, SIEFP, SCONTROL, unmasked SINTs) is part ' +
    'of its state: who saves it reads these registers, who restores it writes them. A guest that comes back without its ' +
    'hypercall page calls into a page without code. After a reset they are off, until somebody writes them: else the ' +
    'kernel that boots next finds pages over memory that it uses otherwise.',
  silent: [
    'A register that is as it is after a reset is neither saved nor restored.',
    'What the hypervisor transfers as a state of its own (LAPIC, XSAVE, timers) is not read by register.',
    'The trace shows no register of that VP being read: they may have been saved otherwise.',
    'After a reset the register was written before it was read.',
    'A kexec or an INIT is no reset; SCONTROL may reset to 1.',
  ],
  source:
    'TLFS, SynIC reset values and synthetic MSRs; cloud-hypervisor commit c3d6aceed; propolis issue 863; OpenVMM PR 4179',
  watches: [
    { kind: 'msr', msrs: [...SYNTHETIC_MSRS.keys()] },
    { kind: 'hypercall', codes: [GET_VP_REGISTERS, SET_VP_REGISTERS, DELETE_PARTITION] },
    'lifecycle',
    'mark',
  ],
  needs: ['lifecycle'],
  judge(input) {
    const boundaries = input.tracker(BOUNDARIES);
    /** By partition; undefined: that of the trace. */
    const guests = new Map<bigint | undefined, GuestState>();
    const findings = new OpenFindings(saveRestoreReset.id, input);
    const cases = new Map<OpenFinding, Case>();
    /** Saves and restores that began: while there is none no call can belong to one. */
    let windows = 0;
    /** What the last save had to hold, and what it left out. */
    let saved:
      | { readonly active: readonly ActiveRegister[]; readonly finding: OpenFinding | undefined }
      | undefined;

    function guest(partition: bigint | undefined): GuestState {
      const known = guests.get(partition);
      if (known !== undefined) return known;
      if (guests.size >= MAX_PARTITIONS) guests.clear();
      const made = new GuestState();
      guests.set(partition, made);
      return made;
    }

    function found(
      mistake: Mistake,
      component: string,
      culprit: Moment,
      partition: bigint | undefined,
      registers: readonly ActiveRegister[],
      shown?: Moment,
    ): OpenFinding {
      const about = {
        ...(partition === undefined ? {} : { partition }),
        ...(shown === undefined ? {} : { shown }),
      };
      const cause = [component, mistake];
      const finding = findings.of({ cause, severity: 'error', component, culprit, ...about });
      const known = cases.get(finding) ?? { mistake, registers: new Set() };
      cases.set(finding, known);
      for (const { register, vp, since } of registers) {
        known.registers.add(register.name);
        if (finding.concerns(cellOf(partition, vp, register))) finding.prove(since);
      }
      return finding;
    }

    function access({ msr, dir, value, vp, cpu, fault }: MsrEvent): void {
      const register = SYNTHETIC_MSRS.get(msr);
      const number = vp === undefined ? cpu : vp.vp;
      if (register === undefined || value === undefined || fault === true) return;
      if (number === undefined || number >= MAX_CPUS || (vp !== undefined && vp.partition === undefined))
        return;
      const partition = vp?.partition;
      const state = guest(partition);
      const moment = input.now();
      if (dir === 'write') state.wrote(register, number, value, moment);
      else if (isLeftOver(state, register, number, value) && state.reset !== undefined) {
        const { component, moment: culprit } = state.reset;
        found('reset', component, culprit, partition, [{ register, vp: number, since: moment }], moment);
      }
    }

    function call({ control, input: block, result, vp: caller }: HypercallEvent): void {
      if (block === undefined || result?.status !== 0 || caller !== undefined) return;
      const code = lowHalf(control) & 0xffff;
      const isSet = code === SET_VP_REGISTERS;
      if (code === DELETE_PARTITION) guests.delete(readU64(block, PARTITION));
      // Registers are set whenever a VP runs: nothing is looked up for those.
      if (code === DELETE_PARTITION || (windows === 0 && !isSet)) return;
      const window = windows === 0 ? undefined : guests.get(readU64(block, PARTITION))?.window;
      const vp = readU32(block, VP);
      const name = isSet ? SET_NAME : GET_NAME;
      for (let i = 0; i < result.reps && name.offset + i * name.stride + name.size <= block.length; i++) {
        const register = SYNTHETIC_NAMES.get(readU32(block, name, i));
        window?.name(register, vp);
        if (!isSet || register === undefined) continue;
        guest(readU64(block, PARTITION)).wrote(register, vp, readU64(block, SET_VALUE, i), input.now());
      }
    }

    function begun({ what, partition }: LifecycleEvent): void {
      if (what === 'partition-reset') guest(partition).forget();
      if ((what !== 'save' && what !== 'restore') || partition === undefined) return;
      guest(partition).window = new Window();
      windows++;
    }

    function ended({ what, component = 'vmm', partition, succeeded, moment }: Boundary): void {
      const state = guests.get(partition);
      const window = state?.window;
      if (what === 'partition-reset') {
        const who = partition === undefined ? 'hypervisor' : component;
        guest(partition).reset = succeeded ? { component: who, moment } : undefined;
      }
      if (partition === undefined || state === undefined || window === undefined) return;
      state.window = undefined;
      if (!succeeded) return;
      if (what === 'save') {
        const active = state.active();
        const missing = window.missing(active);
        const finding =
          missing.length === 0 ? undefined : found('save', component, moment, partition, missing);
        saved = { active: active.filter((register) => !missing.includes(register)), finding };
      } else if (saved !== undefined) {
        if (saved.finding !== undefined) saved.finding.explains(`partition[${partition}]`, moment);
        const missing = window.missing(saved.active);
        if (missing.length > 0) found('restore', component, moment, partition, missing);
      }
    }

    return {
      step({ event, returned }) {
        if (event.kind === 'msr') access(event);
        else if (event.kind === 'hypercall') {
          if (!returned) call(event);
        } else if (event.kind === 'lifecycle') {
          const { step } = input.now();
          const isThis = ({ hasEnd, moment }: Boundary) => !hasEnd && moment.step === step;
          for (const boundary of boundaries.ended) if (!isThis(boundary)) ended(boundary);
          if (event.phase !== 'end') begun(event);
          for (const boundary of boundaries.ended) if (isThis(boundary)) ended(boundary);
        } else if (event.kind === 'mark' && event.what === 'gap') guests.clear();
      },
      end() {
        for (const boundary of boundaries.last()) ended(boundary);
        for (const [finding, { mistake, registers }] of cases) {
          const { component } = finding.root;
          const [title, fix] = SAYS[mistake](component, list(registers), registers.size > 1 ? 'are' : 'is');
          input.report(finding.close(title, fix));
        }
      },
    };
  },
};

const SAYS: Readonly<
  Record<Mistake, (who: string, what: string, is: string) => readonly [title: string, fix: string]>
> = {
  save: (who, what, is) => [
    `${what} of a guest ${is} in use and not saved`,
    `let ${who} read ${what} when it saves the guest`,
  ],
  restore: (who, what, is) => [
    `${what} of a guest ${is} saved and not restored`,
    `let ${who} write ${what} when it restores the guest`,
  ],
  reset: (who, what, is) => [
    `${what} ${is} still on after the guest was reset`,
    `let ${who} reset ${what} with the guest`,
  ],
};

/** SCONTROL resets to 0 in the specification and to 1 in OpenVMM: it tells nothing. */
function isLeftOver(state: GuestState, register: SyntheticRegister, vp: number, value: bigint): boolean {
  return register.name !== 'SCONTROL' && register.isActive(value) && state.isAsReset(register, vp);
}

function cellOf(partition: bigint | undefined, vp: number, { path, name }: SyntheticRegister): string {
  if (partition !== undefined) return `partition[${partition}].vp[${vp}].${path}`;
  return `cpu[${vp}].${path.startsWith('synic') ? path : `msr[${hexOf(msrs.number(name))}]`}`;
}
