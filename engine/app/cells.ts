import { hexOf } from '../abi/text.ts';
import type { History } from '../replay/history.ts';
import { StateImage } from '../replay/image.ts';
import { decodeCell, hintName } from '../state/display.ts';
import { CellPaths } from '../state/path.ts';
import type { CellId } from '../state/store.ts';
import { type Address, compareAddresses, formatAddress } from '../trace/position.ts';
import type { CellView, WriteView } from './api.ts';

/** The state of a replayed trace at any position, and who wrote what. */
export class StateExplorer {
  readonly history: History;
  readonly paths: CellPaths;
  readonly image: StateImage;

  constructor(history: History) {
    this.history = history;
    this.paths = new CellPaths(history.tables.objects);
    this.image = new StateImage(history);
  }

  /** Cells below a path (all: empty) as they stand after `at`; undefined when the text is no path. */
  cells(at: Address, path: string): CellView[] | undefined {
    this.image.seek(at);
    const found = this.paths.find(path, (row) => this.image.exists(row));
    return found?.map((cell) => this.view(cell, at));
  }

  /** One cell at the image's position, which is that after `at`. */
  view(cell: CellId, at: Address): CellView {
    const { hint } = this.paths.slotOf(cell);
    const known = this.image.known(cell);
    const value = this.image.get(cell);
    const last = this.history.lastWrite(cell, this.image.offset);
    return {
      path: this.paths.path(cell),
      value: known ? hexOf(value) : null,
      known,
      type: hintName(hint),
      decoded: known ? decodeCell(hint, value) : {},
      ...(last === undefined || last.at.seq === 0 ? {} : { writer: writerOf(last) }),
      changed: last !== undefined && at.seq > 0 && compareAddresses(last.at, at) === 0,
    };
  }

  /** Writes of the cell with this exact path around a position: at most `limit`, oldest first. */
  writes(path: string, at: Address, limit: number): CellHistory | undefined {
    const cell = this.paths.find(path)?.[0];
    if (cell === undefined || this.paths.path(cell) !== path) return undefined;
    const entries = this.history.writesOf(cell);
    const offset = this.history.offset(at);
    let next = 0;
    while (next < entries.length && (entries[next] as number) < offset) next++;
    const from = Math.max(0, Math.min(next - Math.ceil(limit / 2), entries.length - limit));
    const shown = [...entries.subarray(from, from + limit)];
    const previous = [...entries.subarray(0, next)]
      .reverse()
      .map((entry) => this.history.write(entry).at)
      .find((written) => compareAddresses(written, at) !== 0);
    const following = entries[next];
    return {
      writes: shown.map((entry) => this.writeView(entry)),
      total: entries.length,
      ...(previous === undefined ? {} : { previous: formatAddress(previous) }),
      ...(following === undefined ? {} : { next: formatAddress(this.history.write(following).at) }),
    };
  }

  /** Journal entry as a view shows it. */
  writeView(entry: number): WriteView {
    const write = this.history.write(entry);
    const existence = (write.cell as number) === this.paths.objectOf(write.cell).id;
    return {
      path: this.paths.path(write.cell),
      ...writerOf(write),
      old: write.oldKnown ? valueText(existence, write.old) : null,
      now: valueText(existence, write.now),
    };
  }
}

interface CellHistory {
  readonly writes: readonly WriteView[];
  readonly total: number;
  readonly previous?: string;
  readonly next?: string;
}

function valueText(existence: boolean, value: bigint): string {
  if (existence) return value === 1n ? 'exists' : 'gone';
  return hexOf(value);
}

function writerOf(write: { readonly at: Address; readonly component: string }): {
  at: string;
  component: string;
} {
  return { at: formatAddress(write.at), component: write.component };
}
