import { msrs } from '../../abi/lookup/msrs.ts';
import { hexOf } from '../../abi/text.ts';
import { CPU, CPU_MSR, VP } from '../../hypervisor/index.ts';
import type { ObjectRow } from '../../state/store.ts';
import { compareAddresses } from '../../trace/position.ts';
import type { OverlayView } from '../api-machine.ts';
import { cellIn, type MachineGround } from './ground.ts';

const ENABLED = 1n;
const PAGE_MASK = 0xfffn;

const { reg, synic } = VP.slots;
/** Registers of a VP that put a page over guest memory while bit 0 is set (TLFS, overlay pages). */
const VP_CELLS: readonly (readonly [string, number])[] = [
  ['hypercall page', reg.hypercall],
  ['SIMP', synic.simp],
  ['SIEFP', synic.siefp],
  ['VP assist page', reg.vpAssist],
  ['reference TSC page', reg.referenceTsc],
];

const CPU_CELLS: readonly (readonly [string, number])[] = [
  ['SIMP', CPU.slots.synic.simp],
  ['SIEFP', CPU.slots.synic.siefp],
  ['SIRBP', CPU.slots.synic.sirbp],
];
/** MSRs of a CPU that have no cell of their own in the SynIC. */
const CPU_MSRS: ReadonlyMap<string, string> = new Map([
  [String(msrs.number('HYPERCALL')), 'hypercall page'],
  [String(msrs.number('VP_ASSIST_PAGE')), 'VP assist page'],
  [String(msrs.number('REFERENCE_TSC')), 'reference TSC page'],
]);

/** Pages that lie over the memory of a child partition. */
export function vpOverlays(ground: MachineGround, partition: ObjectRow): OverlayView[] {
  return ground.objects
    .below(VP, partition)
    .filter((row) => ground.image.exists(row))
    .flatMap((row) =>
      VP_CELLS.flatMap(([what, slot]) => overlay(ground, what, `VP ${partition.key}.${row.key}`, row, slot)),
    );
}

/** Pages that lie over the memory of the partition that the trace is about. */
export function cpuOverlays(ground: MachineGround): OverlayView[] {
  return ground.objects
    .all(CPU)
    .filter((row) => ground.image.exists(row))
    .flatMap((row) => [
      ...CPU_CELLS.flatMap(([what, slot]) => overlay(ground, what, `CPU ${row.key}`, row, slot)),
      ...ground.objects.below(CPU_MSR, row).flatMap((msr) => {
        const what = CPU_MSRS.get(String(msr.key));
        return what === undefined ? [] : overlay(ground, what, `CPU ${row.key}`, msr, CPU_MSR.slots.value);
      }),
    ]);
}

function overlay(
  ground: MachineGround,
  what: string,
  of: string,
  row: ObjectRow,
  slot: number,
): OverlayView[] {
  const { history, image, at, deeds } = ground;
  const cell = cellIn(row, slot);
  const value = image.get(cell);
  if (!image.known(cell) || (value & ENABLED) === 0n) return [];
  const last = history.lastWrite(cell, image.offset);
  return [
    {
      what,
      of,
      gpa: hexOf(value & ~PAGE_MASK),
      ...(last === undefined || last.at.seq === 0 ? {} : { deed: deeds.of(last.at, last.component) }),
      changed: last !== undefined && at.seq > 0 && compareAddresses(last.at, at) === 0,
    },
  ];
}
