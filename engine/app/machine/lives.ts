import type { History } from '../../replay/history.ts';
import type { StateImage } from '../../replay/image.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';
import { type Address, compareAddresses } from '../../trace/position.ts';
import type { Standing } from '../api-machine.ts';

/** From its creation to its end, by journal entries; `to` undefined: it exists at the end of the trace. */
export interface Life {
  readonly from: number;
  readonly to: number | undefined;
}

/** Every time that an object existed: the same descriptor number may be opened again. */
export function livesOf(history: History, { id }: ObjectRow): Life[] {
  const lives: Life[] = [];
  let from: number | undefined;
  for (const entry of history.writesOf(id as unknown as CellId)) {
    const { now } = history.write(entry);
    if (now === 1n && from === undefined) from = entry;
    else if (now === 0n && from !== undefined) {
      lives.push({ from, to: entry });
      from = undefined;
    }
  }
  return from === undefined ? lives : [...lives, { from, to: undefined }];
}

/** Where an image stands in a life. */
export function standing({ from, to }: Life, image: StateImage): Standing {
  if (from >= image.offset) return 'not yet';
  return to === undefined || to >= image.offset ? 'there' : 'gone';
}

/** Whether the event at a position created, ended or changed the object. */
export function changedAt(history: History, row: ObjectRow, image: StateImage, address: Address): boolean {
  if (address.seq === 0) return false;
  return row.kind.info.some((_, slot) => {
    const last = history.lastWrite((row.id + slot) as CellId, image.offset);
    return last !== undefined && compareAddresses(last.at, address) === 0;
  });
}

/** The last entry before the image's place that wrote any cell of an object; the journal's first for none. */
export function lastEntry(history: History, row: ObjectRow, image: StateImage): number {
  let last = 0;
  for (let slot = 0; slot < row.kind.info.length; slot++) {
    const write = history.lastWrite((row.id + slot) as CellId, image.offset);
    if (write !== undefined && write.entry > last) last = write.entry;
  }
  return last;
}
