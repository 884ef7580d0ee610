import { readU64 } from '../abi/index.ts';
import { codeOf } from '../replay/describe.ts';
import type { FdEvent, IoctlEvent } from '../trace/event.ts';
import { formatHandle, type Handle } from '../trace/handle.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { answered, call, partitionField, SUCCESS } from './track/hypercall.ts';

const FINALIZE = call('FINALIZE_PARTITION');
const DELETE = call('DELETE_PARTITION');
const PARTITION = partitionField(FINALIZE);
/** Partitions that are followed at once. */
const MAX_PARTITIONS = 4096;
const MAX_MAPPINGS = 4096;

/** Pages of a VP that a program has mapped. */
interface Mapping {
  readonly handle: string;
  readonly addr: bigint | undefined;
  readonly pid: number | undefined;
  readonly moment: Moment;
  readonly component: string;
}

/** The descriptors and mappings that keep a partition. */
interface Kept {
  readonly pids: Set<number | undefined>;
  open: number;
  mappings: Mapping[];
  closed: Moment | undefined;
}

/** The part of R15 that is about programs: a page of a VP that stays mapped keeps its partition. */
export function judgeMappings(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  const partitions = new Map<bigint, Kept>();

  function opened(event: IoctlEvent): void {
    const { out, ret, pid } = event;
    const handle = out?.handle;
    if (handle === undefined || typeof ret !== 'number' || ret < 0) return;
    const id = partitionOf(handle);
    if (id === undefined) return;
    const known = handle.kind === 'partition' ? undefined : partitions.get(id);
    if (known === undefined && handle.kind !== 'partition') return;
    const kept = known ?? { pids: new Set(), open: 0, mappings: [], closed: undefined };
    kept.open++;
    kept.pids.add(pid);
    if (partitions.size < MAX_PARTITIONS) partitions.set(id, kept);
  }

  function onFd(event: FdEvent): void {
    const { what, handle, pid } = event;
    if (failed(event)) return;
    if (what === 'munmap') unmapped(event);
    const kept = handle === undefined ? undefined : partitions.get(partitionOf(handle) ?? -1n);
    if (handle === undefined || kept === undefined) return;
    kept.pids.add(pid);
    if (what === 'dup') kept.open++;
    else if (what === 'close' && --kept.open === 0) kept.closed = input.now();
    else if (what === 'mmap' && kept.mappings.length < MAX_MAPPINGS) {
      const { addr, component = 'vmm' } = event;
      kept.mappings.push({ handle: formatHandle(handle), addr, pid, moment: input.now(), component });
    }
  }

  function unmapped({ addr, handle, pid }: FdEvent): void {
    const of = handle === undefined ? undefined : formatHandle(handle);
    for (const kept of partitions.values()) {
      const index = kept.mappings.findIndex(
        (mapping) =>
          mapping.pid === pid && (addr !== undefined ? mapping.addr === addr : mapping.handle === of),
      );
      if (index >= 0) kept.mappings.splice(index, 1);
    }
  }

  function exited(pid: number | undefined): void {
    for (const [id, kept] of partitions) if (pid === undefined || kept.pids.has(pid)) partitions.delete(id);
  }

  return {
    step(step) {
      const { event, returned } = step;
      switch (event.kind) {
        case 'ioctl':
          if (returned && event.out?.handle !== undefined) opened(event);
          return;
        case 'fd':
          if (!returned) onFd(event);
          else if (event.what === 'mmap' && failed(event)) unmapped(event);
          return;
        case 'lifecycle':
          if (event.what === 'process-exit') exited(event.pid);
          else if (event.phase === 'end') partitions.clear();
          return;
        case 'mark':
          if (event.what === 'gap') partitions.clear();
          return;
        case 'hypercall': {
          const code = codeOf(event.control);
          if (code !== FINALIZE && code !== DELETE) return;
          const hypercall = answered(step);
          if (hypercall?.status === SUCCESS) partitions.delete(readU64(hypercall.input, PARTITION));
          return;
        }
        default:
          return;
      }
    },
    end() {
      for (const [id, { closed, mappings, pids }] of partitions) {
        const [first] = mappings;
        // Where another process has it too, who keeps it is not known.
        if (closed === undefined || first === undefined || pids.size !== 1) continue;
        const { component, moment } = first;
        const finding = cases.open(
          {
            cause: [component, 'mapping'],
            severity: 'error',
            component,
            culprit: moment,
            shown: closed,
            partition: id,
          },
          {
            title: `${component} closes all descriptors of a partition and leaves a page of ${first.handle} mapped, which keeps the partition`,
            fix: `let ${component} unmap (munmap) the pages of a VP when it closes its descriptor`,
          },
        );
        finding.concerns(`partition[${id}]`);
        finding.prove(moment);
        finding.prove(closed);
      }
      cases.report();
    },
  };
}

function failed({ ret }: FdEvent): boolean {
  return ret === null || (typeof ret === 'number' && ret < 0 && ret > -4096);
}

function partitionOf(handle: Handle): bigint | undefined {
  return handle.kind === 'partition' || handle.kind === 'vp' ? handle.partition : undefined;
}
