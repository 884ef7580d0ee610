/** Whether a mutant is illegal or leaves something behind, and whether a rule says so. */
import { statuses } from '../../engine/abi/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import { UNMODELLED } from '../../engine/machine/unmodelled.ts';
import { replay } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import type { Step } from '../../engine/replay/step.ts';
import { RULES } from '../../engine/rules/catalogue.ts';
import { createJudge } from '../../engine/rules/judge.ts';
import { CellPaths } from '../../engine/state/path.ts';
import type { CellId } from '../../engine/state/store.ts';
import type { LifecycleWhat, TraceEvent } from '../../engine/trace/event.ts';
import { SIDES } from '../../main/cli/sides.ts';
import type { Legal } from './legal.ts';
import { type Mutant, nameOf, type Placed, unbroken } from './operators.ts';

interface Run {
  /** What was refused, by the event of the sample. */
  readonly refused: ReadonlyMap<number, readonly string[]>;
  /** What exists and is switched on at the end. */
  readonly left: ReadonlySet<string>;
  readonly findings: ReadonlySet<string>;
}

export interface Verdict {
  /**
   * `illegal`: the hypervisor refuses something that it took before; `residue`: more is left than the sample leaves, and something has ended
   * since; `open`: more is left, and whoever has it may yet take it away: the recording stopped first.
   */
  readonly kind: 'illegal' | 'residue' | 'open' | 'harmless';
  /** The first refusal, or what is left. */
  readonly why: string;
  readonly detected: boolean;
  /** A replay that knows the kernel's sources diverges. */
  readonly diverges: () => boolean;
}

function run({ header }: Legal, placed: readonly Placed[]): Run {
  const refused = new Map<number, string[]>();
  const judge = createJudge(RULES, header.profile);
  let machine: Machine | undefined;
  replay(
    memorySource(
      header,
      placed.map(({ event }) => event),
    ),
    SIDES,
    {
      observe: (step, on) => {
        machine = on;
        judge.step(step, on.store);
        const refusal = step.derived ? undefined : refusalOf(step);
        if (refusal === undefined) return;
        const was = placed[step.address.seq - 1]?.was ?? 0;
        refused.set(was, [...(refused.get(was) ?? []), `${refusal} of ${nameOf(step.event)}`]);
      },
    },
  );
  judge.end();
  return {
    refused,
    left: machine === undefined ? new Set() : leftIn(machine),
    findings: new Set(judge.findings().map(({ id }) => id)),
  };
}

/** What nobody knows the answer to is not refused. */
function refusalOf({ event, rule }: Step): string | undefined {
  if (rule === UNMODELLED) return undefined;
  if (event.kind === 'msr') return event.fault === true ? '#GP' : undefined;
  if (event.kind !== 'hypercall') return undefined;
  if (event.fault === true) return '#UD';
  const status = event.result?.status ?? 0;
  return status === 0 ? undefined : statuses.name(status);
}

/** Registers of a SynIC that let something through, or have a page of memory. */
const SYNIC = /\.synic\.(?:scontrol|simp|siefp|sirbp|sint\[\d+\])$/;
const MASKED = 1n << 16n;

function leftIn({ store }: Machine): Set<string> {
  const paths = new CellPaths(store.tables.objects);
  const left = new Set<string>();
  for (const row of store.tables.objects) {
    if (store.low(row.id as number as CellId) !== 1) continue;
    left.add(`${row.kind.name} exists: ${paths.objectPath(row)}`);
    row.kind.info.forEach((_, slot) => {
      const cell = (row.id + slot) as CellId;
      const path = paths.path(cell);
      if (!SYNIC.test(path) || !store.known(cell)) return;
      const value = store.get(cell);
      const isOn = path.includes('.sint[') ? value !== 0n && (value & MASKED) === 0n : (value & 1n) === 1n;
      if (isOn) left.add(`on: ${path}`);
    });
  }
  return left;
}

const legal = new Map<Legal, Run>();

function legalRun(sample: Legal): Run {
  const known = legal.get(sample) ?? run(sample, unbroken(sample));
  legal.set(sample, known);
  return known;
}

/** Whether a sample is silent in the form in which it is broken. */
export function isSilent(sample: Legal): boolean {
  return legalRun(sample).findings.size === 0;
}

/** More divergences than the sample has by itself. */
function divergesIn({ sample, recorded }: Mutant): boolean {
  const { header, events } = sample.recorded;
  const diverged = (of: readonly TraceEvent[]): number => replay(memorySource(header, of), SIDES).diverged;
  return diverged(recorded().map(({ event }) => event)) > diverged(events);
}

/** What takes something away when it ends. */
const ENDS: ReadonlySet<string> = new Set<LifecycleWhat>([
  'component-stop',
  'cpu-offline',
  'kexec',
  'reboot',
  'power-off',
  'halt',
  'process-exit',
  'partition-reset',
]);
const ENDING_CALLS: ReadonlySet<string> = new Set(['HVCALL_FINALIZE_PARTITION', 'HVCALL_DELETE_PARTITION']);

function isEnd(event: TraceEvent): boolean {
  switch (event.kind) {
    case 'lifecycle':
      return ENDS.has(event.what) || (event.what === 'component-start' && (event.ret ?? 0) < 0);
    case 'fd':
      return event.what === 'close';
    case 'hypercall':
      return ENDING_CALLS.has(nameOf(event));
    default:
      return false;
  }
}

/** Whether something ends behind the place that was changed, or that place is below a call or a step, which is over. */
function endsBehind({ sample: { events }, index }: Mutant): boolean {
  return events[index]?.parent !== undefined || events.some((event, i) => i > index && isEnd(event));
}

/** A copy of what is refused anyway is refused like it: only the first of its like counts. */
export function verdictOf(mutant: Mutant): Verdict {
  const { sample, events } = mutant;
  const diverges = (): boolean => divergesIn(mutant);
  const [before, after] = [legalRun(sample), run(sample, events())];
  const detected = [...after.findings].some((id) => !before.findings.has(id));
  for (const [was, refusals] of after.refused) {
    const known = before.refused.get(was) ?? [];
    const fresh = refusals.find((refusal) => !known.includes(refusal));
    if (fresh !== undefined) return { kind: 'illegal', why: fresh, detected, diverges };
  }
  const left = [...after.left].find((each) => !before.left.has(each));
  if (left !== undefined)
    return {
      kind: endsBehind(mutant) ? 'residue' : 'open',
      why: left.replaceAll(/\[[^\]]*\]|(?<=exists): .*$/g, ''),
      detected,
      diverges,
    };
  return { kind: 'harmless', why: '', detected, diverges };
}
