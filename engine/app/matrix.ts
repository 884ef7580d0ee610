import { msrs } from '../abi/lookup/msrs.ts';
import { hexOf } from '../abi/text.ts';
import { isOn, SYNIC_REGISTERS, synicIndex } from '../rules/track/synic-registers.ts';
import type { CellHint } from '../state/schema.ts';
import { type CellId, TOP } from '../state/store.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { MatrixCell, MsrMatrix } from './api.ts';
import type { StateExplorer } from './cells.ts';

/** SynIC registers of every CPU at a position: value, decoded bits, owner, last writer. */
export function msrMatrix(state: StateExplorer, at: Address, nested: boolean): MsrMatrix {
  state.image.seek(at);
  const group = nested ? 'nested.synic' : 'synic';
  const registers: string[] = [];
  const rows: { cpu: number; cells: MatrixCell[] }[] = [];
  for (const row of state.history.tables.objects) {
    // The drivers keep a `cpu` of their own below `driver`.
    if (row.kind.name !== 'cpu' || row.parent !== TOP || !state.image.exists(row)) continue;
    const cells: MatrixCell[] = [];
    for (const cell of state.paths.find(`cpu[${row.key}].${group}`, (other) => other === row) ?? []) {
      const { hint } = state.paths.slotOf(cell);
      if (hint.as !== 'msr') continue;
      const view = state.view(cell, at);
      const owner = ownerOf(state, cell, hint.msr);
      const short = view.value === null ? '?' : shortText(hint, BigInt(view.value));
      const { type: _type, ...shown } = view;
      cells.push({ ...shown, short, ...(owner === undefined ? {} : { owner }) });
      if (rows.length === 0) registers.push(msrs.name(hint.msr));
    }
    if (cells.length > 0) rows.push({ cpu: Number(row.key), cells });
  }
  return { at: formatAddress(at), registers, rows };
}

/** The component whose write took the control from off to on; nobody while it is off (as the rules see it). */
function ownerOf(state: StateExplorer, cell: CellId, msr: number): string | undefined {
  const register = SYNIC_REGISTERS[synicIndex(msr)];
  if (register === undefined) return undefined;
  let owner: string | undefined;
  let on = false;
  for (const entry of state.history.writesOf(cell)) {
    if (entry >= state.image.offset) break;
    const write = state.history.write(entry);
    const nowOn = isOn(register, write.now);
    if (nowOn && !on && write.at.seq > 0) owner = write.component;
    if (!nowOn) owner = undefined;
    on = nowOn;
  }
  return owner;
}

/** Decoded bits in short: `on 0x1234`, `0xf3 auto_eoi`, `masked 0xf3`, `off`. */
function shortText(hint: CellHint & { as: 'msr' }, value: bigint): string {
  const row = msrs.find(hint.msr);
  if (row === undefined || row.bits.length === 0) return hexOf(value);
  const words: string[] = [];
  for (const bit of row.bits) {
    const part = (value >> BigInt(bit.lsb)) & ((1n << BigInt(bit.width)) - 1n);
    if (bit.alternative || bit.reserved) continue;
    if (bit.lsb === 0 && bit.width === 1) words.push(part === 1n ? 'on' : 'off');
    else if (part === 0n) continue;
    // Whether a SINT is masked is asked first: it leads, also where the rest has no room.
    else if (bit.name === 'masked') words.unshift(bit.name);
    else if (bit.width === 1) words.push(bit.name);
    else words.push(hexOf(part));
  }
  return words.join(' ') || hexOf(value);
}
