import { constant } from '../../abi/index.ts';
import { TOP } from '../../state/store.ts';
import type { Call } from '../call/call.ts';
import { CPU } from '../cells/cpu.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import type { Frames } from './pool-frames.ts';

const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');
const ENABLE = 1;
const { simp, siefp } = CPU.slots.synic;
const { page, stats } = VP.slots;
const SHOWN = [page.registers, page.intercept, page.ghcb, stats.self, stats.parent];

/** Pages of the caller's that it shares with the hypervisor: of its SynICs, and those that show the VPs of its partitions. */
export function sharedFrames({ caller, context: { store } }: Call): Frames[] {
  if (caller !== undefined) return [];
  const frames: Frames[] = [];
  for (const cpu of store.children(TOP, CPU)) {
    for (const slot of [simp, siefp]) {
      const cell = cellAt(cpu, slot);
      if ((store.low(cell) & ENABLE) === 1)
        frames.push({ frame: Number(store.get(cell) >> PAGE_SHIFT), pages: 1 });
    }
  }
  for (const partition of store.children(TOP, PARTITION)) {
    for (const vp of store.children(partition, VP)) {
      for (const slot of SHOWN) {
        const frame = store.number(cellAt(vp, slot));
        if (frame !== 0) frames.push({ frame, pages: 1 });
      }
    }
  }
  return frames;
}
