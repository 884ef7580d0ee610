import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { resetRegisters } from '../vp/reset.ts';
import { domainFields, returnPages, takePages, wrongDomain } from './pages.ts';
import { PHASES } from './phases.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from './target.ts';

const CREATE = {
  id: fieldOf('hv_create_vp', 'partition_id'),
  index: fieldOf('hv_create_vp', 'vp_index'),
  ...domainFields('hv_create_vp'),
  flags: fieldOf('hv_create_vp', 'flags'),
  padding: fieldOf('hv_create_vp', 'padding'),
};
const DELETE = {
  id: fieldOf('hv_input_delete_vp', 'partition_id'),
  index: fieldOf('hv_input_delete_vp', 'vp_index'),
  reserved: fieldOf('hv_input_delete_vp', 'reserved'),
};
const MAX_VP_INDEX = constantNumber('HV_MAX_VP_INDEX');
const INDEX = 'TLFS2013.vp.create-index';

/** A VP in its reset state: explicitly suspended (TLFS 2013, HvCreateVp). */
function create(call: Call): HypercallAnswer {
  const found = findChild(call, CREATE.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.CREATE_VP);
  if (wrong !== undefined) return wrong;
  const { store, profile } = call.context;
  const index = readU32(call.input, CREATE.index);
  if (index > MAX_VP_INDEX || store.find(found.id, VP, index) !== undefined) {
    return failed(STATUS.INVALID_VP_INDEX, INDEX);
  }
  if (readU64(call.input, CREATE.flags) !== 0n) {
    return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.vp.create-flags');
  }
  if (reservedSet(call, [CREATE.padding])) return RESERVED;
  const domain = wrongDomain(call, CREATE);
  if (domain !== undefined) return domain;
  const short = takePages(call, found.id, 'vp', profile.pool.vp);
  if (short !== undefined) return short;
  const vp = store.create(found.id, VP, index);
  resetRegisters(call.context, vp, index, store.get(cellAt(found.id, PARTITION.slots.flags)));
  return succeeded('TLFS2013.vp.create');
}

function remove(call: Call): HypercallAnswer {
  const found = findChild(call, DELETE.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.DELETE_VP);
  if (wrong !== undefined) return wrong;
  const vp = findVp(call, found.id, readU32(call.input, DELETE.index));
  if ('answer' in vp) return vp.answer;
  if (reservedSet(call, [DELETE.reserved])) return RESERVED;
  call.context.store.destroy(vp.id);
  returnPages(call, found.id, 'vp', call.context.profile.pool.vp);
  return succeeded('TLFS2013.vp.delete');
}

export const VP_CALLS: readonly CallRow[] = [
  { name: 'CREATE_VP', answer: create },
  { name: 'DELETE_VP', answer: remove },
];
