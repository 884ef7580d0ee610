import { msrs } from '../../abi/index.ts';
import type { MsrAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { cpuOf } from '../synic/deliver.ts';
import { OTHER_ROWS } from './other.ts';
import { OVERLAY_ROWS } from './overlay.ts';
import { type Access, faulted, type MsrRow, unmodelled } from './row.ts';
import { SYNIC_ROWS } from './synic.ts';
import { TIMER_ROWS } from './timer.ts';

/** Synthetic MSRs lie here; those of the nested register file 0x1000 further (TLFS; Linux 7.2 include/hyperv). */
const BASE = 0x4000_0000;
const SYNTHETIC_END = 0x4000_0200;
const NESTED_OFFSET = 0x1000;
const SCONTROL = msrs.number('SCONTROL');
const LAST_SINT = msrs.number('SINT0') + 15;

/** Every register that the hypervisor answers. */
export const MSR_ROWS: readonly MsrRow[] = [...OVERLAY_ROWS, ...OTHER_ROWS, ...SYNIC_ROWS, ...TIMER_ROWS];

const BY_OFFSET: readonly (MsrRow | undefined)[] = (() => {
  const rows = new Array<MsrRow | undefined>(0x2000).fill(undefined);
  for (const row of MSR_ROWS) {
    if (rows[row.msr - BASE] !== undefined) throw new Error(`two rows for MSR 0x${row.msr.toString(16)}`);
    rows[row.msr - BASE] = row;
  }
  return rows;
})();

const UNKNOWN_SYNTHETIC = faulted('TLFS.msr.unknown-synthetic');

/** Answers an access: an unknown synthetic register raises #GP, anything outside that range is not modelled. */
export function answerMsr(context: Context, access: Access): MsrAnswer {
  const cpu = cpuOf(context, access.cpu);
  if (cpu === undefined) return unmodelled(access);
  const row = BY_OFFSET[addressOf(access) - BASE];
  if (row !== undefined) return (access.dir === 'read' ? row.read : row.write)(context, cpu, access);
  return access.msr >= BASE && access.msr < SYNTHETIC_END ? UNKNOWN_SYNTHETIC : unmodelled(access);
}

/** An event may name the nested register file by the alias or by a flag beside the plain address. */
function addressOf(access: Access): number {
  const { msr } = access;
  return access.nested === true && msr >= SCONTROL && msr <= LAST_SINT ? msr + NESTED_OFFSET : msr;
}
