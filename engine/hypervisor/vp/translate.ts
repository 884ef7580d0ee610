import {
  constant,
  constantNumber,
  fieldOf,
  readU32,
  readU64,
  registers,
  writeField,
} from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, succeeded, unmodelledCall } from '../call/call.ts';
import { overlayAt } from '../memory/overlay.ts';
import { gpaRunOf } from '../memory/runs.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { isFresh, registerOf } from './values.ts';

const INPUT = {
  id: fieldOf('hv_input_translate_virtual_address', 'partition_id'),
  index: fieldOf('hv_input_translate_virtual_address', 'vp_index'),
  padding: fieldOf('hv_input_translate_virtual_address', 'padding'),
  page: fieldOf('hv_input_translate_virtual_address', 'gva_page'),
};
const OUTPUT = {
  bytes: 16,
  code: fieldOf('hv_output_translate_virtual_address', 'translation_result.result_code'),
  overlay: fieldOf('hv_output_translate_virtual_address', 'translation_result.overlay_page'),
  page: fieldOf('hv_output_translate_virtual_address', 'gpa_page'),
};
const PLAIN = 'TLFS2013.translate.without-paging';
const OVERLAID = 'TLFS2013.translate.overlay';
const UNMAPPED = constantNumber('HV_TRANSLATE_GVA_GPA_UNMAPPED');
const CR0 = registers.number('CR0');
const PAGING = 1n << 31n;
/** A processor without paging has addresses of 32 bits. */
const FRAMES = 1n << (32n - constant('HV_HYP_PAGE_SHIFT'));

/** HvTranslateVirtualAddress: without paging an address is its own translation; with it the tables are in memory. */
function translate(call: Call): HypercallAnswer {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.VP_REGISTERS);
  if (wrong !== undefined) return wrong;
  const vp = findVp(call, found.id, readU32(call.input, INPUT.index));
  if ('answer' in vp) return vp.answer;
  if (reservedSet(call, [INPUT.padding])) return RESERVED;
  const { context } = call;
  const paging = (registerOf(context, vp.id, CR0).low & PAGING) !== 0n;
  if (paging || !isFresh(context, vp.id, CR0)) return unmodelledCall(call.event);
  const page = readU64(call.input, INPUT.page) % FRAMES;
  const output = new Uint8Array(OUTPUT.bytes);
  const overlay = overlayAt(context, vp.id, page);
  const isMapped = overlay !== undefined || gpaRunOf(context, found.id, page) !== undefined;
  if (overlay !== undefined) writeField(output, OUTPUT.overlay, 1);
  if (isMapped) writeField(output, OUTPUT.page, page);
  else writeField(output, OUTPUT.code, UNMAPPED);
  return succeeded(overlay === undefined ? PLAIN : OVERLAID, output);
}

export const TRANSLATE_CALLS: readonly CallRow[] = [{ name: 'TRANSLATE_VIRTUAL_ADDRESS', answer: translate }];
