import {
  fieldOf,
  hypercalls,
  type IoctlRow,
  readU32,
  readU64,
  sizeOfStruct,
  writeField,
} from '../../../engine/abi/index.ts';
import { tablesUnseen, vpOfRef } from '../../../engine/hypervisor/index.ts';
import type { CallBytes } from '../../process/call-buffers.ts';
import type { DeviceFile } from './device-file.ts';
import { type Call, type Host, stamp } from './host.ts';

const CODE = fieldOf('mshv_root_hvcall', 'code');
const TRANSLATE = hypercalls.number('TRANSLATE_VIRTUAL_ADDRESS');
const STRUCT = 'hv_input_translate_virtual_address';
const INPUT = {
  vp: fieldOf(STRUCT, 'vp_index'),
  flags: fieldOf(STRUCT, 'control_flags'),
  page: fieldOf(STRUCT, 'gva_page'),
  bytes: sizeOfStruct(STRUCT),
};
const WORD_BYTES = 8;
const WORD = fieldOf('hv_register_value', 'reg64');

/**
 * Before a call that translates an address of a guest with paging: what stands in its tables, as events, so that the engine
 * follows them from the trace, here and in every replay.
 */
export function showPageTables(
  host: Host,
  { process, tid }: Call,
  { handle }: DeviceFile,
  row: IoctlRow | undefined,
  { arg, in: input }: CallBytes,
): void {
  if (row?.name !== 'MSHV_ROOT_HVCALL' || arg === undefined || readU32(arg, CODE) !== TRANSLATE) return;
  if (handle.kind !== 'vp' && handle.kind !== 'partition') return;
  const { partition } = handle;
  if (partition === undefined || input === undefined || input.length < INPUT.bytes) return;
  const ref = { partition, vp: readU32(input, INPUT.vp) };
  const { machine } = host.live;
  const vp = vpOfRef(machine, ref);
  if (vp === undefined) return;
  const memory = host.guests.memoryOf(partition);
  memory.refresh(machine);
  const read = (gpa: bigint) => {
    const bytes = memory.read(gpa, WORD_BYTES);
    return bytes === undefined ? undefined : readU64(bytes, WORD);
  };
  const page = readU64(input, INPUT.page);
  for (const { gpa, value } of tablesUnseen(machine, vp, page, readU64(input, INPUT.flags), read)) {
    const bytes = new Uint8Array(WORD_BYTES);
    writeField(bytes, WORD, value);
    const shown = { what: 'snapshot', page: 'ram', vp: ref, gpa, bytes: [{ offset: 0, bytes }] } as const;
    host.live.feed({ ...stamp(host, process, tid), kind: 'page', ...shown });
  }
}
