import { fieldOf, hypercalls, readU64 } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import type { IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { type Answered, answered, call, partitionField, SUCCESS } from './track/hypercall.ts';
import { ACQUIRING, heldBy, RELEASING } from './track/objects.ts';
import { isHost } from './track/partition-tracker.ts';
import { requests } from './track/requests.ts';

const CREATE = call('CREATE_PARTITION');
const DELETE = call('DELETE_PARTITION');
const CREATED = fieldOf('hv_output_create_partition', 'partition_id');
const DELETED = partitionField(DELETE);
/** The calls that make something. */
const MAKING = ['MSHV_CREATE_PARTITION', 'MSHV_CREATE_VP', 'MSHV_IOEVENTFD'].flatMap(requests);
/** Calls in which something was made and that have not returned. */
const MAX_OPEN = 1024;

/** Something that an ioctl made, in the words of a finding. */
interface Made {
  readonly what: string;
  readonly partition: bigint;
  readonly component: string;
  readonly moment: Moment;
  readonly call: string;
}

/** R44: a call that fails leaves nothing behind, and one that succeeds nothing that it does not hand out. */
export const failedCalls: Rule = {
  id: 'R44',
  severity: 'error',
  title: 'A call leaves behind what it has made and does not hand out',
  meaning:
    'An ioctl that makes something in several steps (a VP with its state and statistics pages, a port and its connection) ' +
    'takes back what it has made when a later step fails: its caller is told that there is nothing, and nobody else ' +
    'will ever give it back. The next attempt finds the number taken, and pages stay with the hypervisor. The same holds for a ' +
    'second partition that is created in a call which hands out one.',
  silent: [
    'Pages that were deposited stay in the pool, for the next attempt.',
    'Guest memory: what of it was mapped is a matter of progress (R07).',
    'What was made before the call.',
    'A creation that was refused and is made again.',
    'A call that was recorded without its answer.',
  ],
  source: 'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_partition_ioctl_create_vp, unwinding), mshv_eventfd.c',
  watches: [
    { kind: 'hypercall', codes: [CREATE, DELETE, ...ACQUIRING.keys(), ...RELEASING.keys()] },
    { kind: 'ioctl', ops: MAKING },
  ],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(failedCalls.id, input);
    /** By the ioctl, then by what it is. */
    const open = new Map<number, Map<string, Made>>();

    function called(seq: number, hypercall: Answered): void {
      if (hypercall.status !== SUCCESS) return;
      const { code } = hypercall.control;
      const taken = heldBy(ACQUIRING, hypercall);
      const made = open.get(seq);
      if (taken !== undefined) note(seq, taken.key, taken.what, taken.partition, hypercall);
      else if (code === CREATE && hypercall.output !== undefined) {
        const partition = readU64(hypercall.output, CREATED);
        note(seq, `partition ${partition}`, 'partition', partition, hypercall);
      } else if (made !== undefined) {
        const given = heldBy(RELEASING, hypercall);
        if (given !== undefined) made.delete(given.key);
        else if (code === DELETE) made.delete(`partition ${readU64(hypercall.input, DELETED)}`);
      }
    }

    function note(seq: number, key: string, what: string, partition: bigint, hypercall: Answered): void {
      const made = open.get(seq) ?? new Map<string, Made>();
      if (open.size >= MAX_OPEN && !open.has(seq)) return;
      open.set(seq, made);
      const { component = 'unknown', control } = hypercall;
      made.set(key, { what, partition, component, moment: input.now(), call: hypercalls.name(control.code) });
    }

    function returned(event: IoctlEvent): void {
      const made = open.get(event.seq);
      open.delete(event.seq);
      if (made === undefined || typeof event.ret !== 'number') return;
      if (event.ret >= 0) {
        handedOut([...made.values()].filter(({ what }) => what === 'partition'));
        return;
      }
      for (const { what, partition, component, moment, call: name } of made.values()) {
        const finding = cases.open(
          {
            cause: [component, name],
            severity: 'error',
            component,
            culprit: moment,
            shown: input.now(),
            partition,
          },
          {
            title: `${component} lets a call fail and leaves the ${what} behind that it made in it`,
            fix: `let ${component} undo ${name} when a later step of the call fails`,
          },
        );
        if (!finding.concerns(`partition[${partition}]`)) continue;
        finding.prove(moment);
        finding.prove(input.now());
      }
    }

    /** A call hands out one partition: which of several is not known, one of them is nobody’s. */
    function handedOut([first, ...more]: readonly Made[]): void {
      for (const { partition, component, moment, call: name } of more) {
        const root = { cause: [component, name, 'twice'], severity: 'error', component, partition } as const;
        const finding = cases.open(
          { ...root, culprit: moment, shown: input.now() },
          {
            title: `${component} creates several partitions in a call that hands out one`,
            fix: `let ${component} make ${name} once in a call, or delete what it does not hand out`,
          },
        );
        if (!finding.concerns(`partition[${partition}]`)) continue;
        if (first !== undefined) finding.prove(first.moment);
        finding.prove(moment);
      }
    }

    return {
      step(step: Step) {
        const { event, parent, returned: isReturn } = step;
        if (event.kind === 'ioctl') {
          if (isReturn && open.size > 0) returned(event);
          return;
        }
        const hypercall = parent === undefined || !isHost(step) ? undefined : answered(step);
        if (parent !== undefined && hypercall !== undefined) called(parent.seq, hypercall);
      },
      end: () => cases.report(),
    };
  },
};
