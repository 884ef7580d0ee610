import { type FieldHandle, fieldOf, readU32, readU64, sameBytes } from '../../abi/index.ts';
import type { Answered } from './hypercall.ts';
import { call, listOf, partitionField } from './hypercall.ts';

/** How the elements of a rep call are named: from a frame on, or by a list, or both. */
interface Shape {
  readonly partition: FieldHandle;
  readonly base: FieldHandle | undefined;
  readonly list: FieldHandle | undefined;
  /** Where flags say that an element is a large page. */
  readonly flags: FieldHandle | undefined;
  readonly large: number;
}

function shape(code: number, base?: FieldHandle, list?: FieldHandle, flags?: FieldHandle, large = 0): Shape {
  return { partition: partitionField(code), base, list, flags, large };
}

export const MAP = call('MAP_GPA_PAGES');
export const UNMAP = call('UNMAP_GPA_PAGES');
export const GET_REGISTERS = call('GET_VP_REGISTERS');
export const SET_REGISTERS = call('SET_VP_REGISTERS');
const DEPOSIT = call('DEPOSIT_MEMORY');
const ACCESS_STATES = call('GET_GPA_PAGES_ACCESS_STATES');
const VISIBILITY = call('MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY');
const ACQUIRE = call('ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS');
const RELEASE = call('RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS');
const MAP_LARGE = 0x8000_0000;
const UNMAP_LARGE = 0x2;
const FRAMES_PER_LARGE_PAGE = 512n;

export const MAP_INPUT = {
  partition: partitionField(MAP),
  base: fieldOf('hv_input_map_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_map_gpa_pages', 'map_flags'),
  list: fieldOf('hv_input_map_gpa_pages', 'source_gpa_page_list'),
};
const SPA_LIST = fieldOf('hv_input_modify_sparse_spa_page_host_access', 'spa_page_list');

const SHAPES: ReadonlyMap<number, Shape> = new Map([
  [MAP, shape(MAP, MAP_INPUT.base, MAP_INPUT.list, MAP_INPUT.flags, MAP_LARGE)],
  [
    UNMAP,
    shape(
      UNMAP,
      fieldOf('hv_input_unmap_gpa_pages', 'target_gpa_base'),
      undefined,
      fieldOf('hv_input_unmap_gpa_pages', 'unmap_flags'),
      UNMAP_LARGE,
    ),
  ],
  [ACCESS_STATES, shape(ACCESS_STATES, fieldOf('hv_input_get_gpa_pages_access_state', 'hv_gpa_page_number'))],
  [DEPOSIT, shape(DEPOSIT, undefined, fieldOf('hv_deposit_memory', 'gpa_page_list'))],
  [VISIBILITY, shape(VISIBILITY, undefined, fieldOf('hv_gpa_range_for_visibility', 'gpa_page_list'))],
  [ACQUIRE, shape(ACQUIRE, undefined, SPA_LIST)],
  [RELEASE, shape(RELEASE, undefined, SPA_LIST)],
  [GET_REGISTERS, shape(GET_REGISTERS, undefined, fieldOf('hv_input_get_vp_registers', 'names'))],
  [SET_REGISTERS, shape(SET_REGISTERS, undefined, fieldOf('hv_input_set_vp_registers', 'elements.name'))],
]);

/** The rep calls whose elements we can tell apart. */
export const CHAIN_CODES: readonly number[] = [...SHAPES.keys()];

/** A rep call: what it is about, what was asked for and what is done. */
export interface RepCall {
  readonly code: number;
  readonly partition: bigint;
  readonly input: Uint8Array;
  /** First frame, where the elements follow each other. */
  readonly base: bigint | undefined;
  /** Frames that an element is. */
  readonly unit: bigint;
  readonly start: number;
  readonly count: number;
  /** Elements that are done in all. */
  readonly done: number;
  readonly status: number;
}

/** A hypercall as a rep call; undefined where its elements are not known. */
export function repCall({ control, input, status, reps }: Answered): RepCall | undefined {
  const known = SHAPES.get(control.code);
  if (known === undefined || control.repCount === 0) return undefined;
  const large = known.flags !== undefined && (readU32(input, known.flags) & known.large) !== 0;
  return {
    code: control.code,
    partition: readU64(input, known.partition),
    input,
    base: known.base === undefined ? undefined : readU64(input, known.base),
    unit: large ? FRAMES_PER_LARGE_PAGE : 1n,
    start: control.repStart,
    count: control.repCount,
    done: reps,
    status,
  };
}

/** Whether two calls of one code have the same input, all that both were asked for: the same work. */
export function isSameWork(a: RepCall, b: RepCall): boolean {
  return a.count === b.count && sameBytes(a.input, b.input);
}

/** Elements of a call's list; none where it has no list. */
export function elementsOf({ code, input }: RepCall, from: number, to: number): readonly bigint[] {
  const list = SHAPES.get(code)?.list;
  return list === undefined ? [] : listOf(input, list, from, to);
}

/** The frame after `elements` of them. */
export function frameAfter({ base, unit }: RepCall, elements: number): bigint | undefined {
  return base === undefined ? undefined : base + unit * BigInt(elements);
}
