import { type FieldHandle, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { Answered } from './hypercall.ts';
import { call, partitionField } from './hypercall.ts';

/** Something of a partition that one call takes and another gives back. */
export interface Held {
  /** `stats-page 2 0 1`: what it is, its partition, and which of them. */
  readonly key: string;
  readonly what: What;
  readonly partition: bigint;
}

export type What = 'state page' | 'statistics page' | 'port' | 'connection' | 'VP';

interface Row {
  readonly what: What;
  readonly partition: FieldHandle;
  /** What tells it from others of its kind in the partition. */
  readonly parts: readonly FieldHandle[];
}

function row(name: string, what: What, struct: string, ...parts: readonly string[]): [number, Row] {
  const code = call(name);
  return [code, { what, partition: partitionField(code), parts: parts.map((part) => fieldOf(struct, part)) }];
}

const STATS = ['type', 'identity.vp.vp_index', 'identity.vp.stats_area_type'];

/** The calls that take something. */
export const ACQUIRING: ReadonlyMap<number, Row> = new Map([
  row('MAP_VP_STATE_PAGE', 'state page', 'hv_input_map_vp_state_page', 'vp_index', 'type'),
  row('MAP_STATS_PAGE', 'statistics page', 'hv_input_map_stats_page', ...STATS),
  row('MAP_STATS_PAGE2', 'statistics page', 'hv_input_map_stats_page2', ...STATS),
  row('CREATE_PORT', 'port', 'hv_input_create_port', 'port_id.id'),
  row('CONNECT_PORT', 'connection', 'hv_input_connect_port', 'connection_id.id'),
  row('CREATE_VP', 'VP', 'hv_create_vp', 'vp_index'),
]);

/** The calls that give it back. */
export const RELEASING: ReadonlyMap<number, Row> = new Map([
  row('UNMAP_VP_STATE_PAGE', 'state page', 'hv_input_unmap_vp_state_page', 'vp_index', 'type'),
  row('UNMAP_STATS_PAGE', 'statistics page', 'hv_input_unmap_stats_page', ...STATS),
  row('DELETE_PORT', 'port', 'hv_input_delete_port', 'port_id.id'),
  row('DISCONNECT_PORT', 'connection', 'hv_input_disconnect_port', 'connection_id.id'),
  row('DELETE_VP', 'VP', 'hv_input_delete_vp', 'vp_index'),
]);

/** What a call takes or gives back; undefined where it is none of those. */
export function heldBy(rows: ReadonlyMap<number, Row>, { control, input }: Answered): Held | undefined {
  const found = rows.get(control.code);
  if (found === undefined) return undefined;
  const partition = readU64(input, found.partition);
  const parts = found.parts.map((part) => readU32(input, part));
  return { key: [found.what, partition, ...parts].join(' '), what: found.what, partition };
}
