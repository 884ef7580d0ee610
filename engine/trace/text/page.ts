import { structOf } from '../../abi/index.ts';
import { PAGE_KINDS, PAGE_WHATS, type PageBytes, type PageEvent, type PageKind } from '../event.ts';
import { readStruct, writeStruct } from './abi-object.ts';
import { decimal, HEX_BYTES, oneOf, U64 } from './codec.ts';
import type { Json } from './json.ts';
import type { KindText } from './kind.ts';
import { expected, objectOf, Refusal } from './refusal.ts';
import { readKey, rowsOf } from './row.ts';

/** What stands in a page, from its first byte on, where a public source tells. */
const LAYOUTS: Readonly<Partial<Record<PageKind, string>>> = {
  register: 'hv_vp_register_page',
  intercept: 'hv_message',
  simp: 'hv_message_page',
  siefp: 'hv_synic_event_flags_page',
  sirbp: 'hv_synic_event_ring_page',
  'vp-assist': 'hv_vp_assist_page',
  'reference-tsc': 'ms_hyperv_tsc_page',
};

const OFFSET = decimal(0, 0xffff_ffff);

function readParts(json: Json): PageBytes[] {
  const parts: PageBytes[] = [];
  const offsets = new Set<number>();
  for (const [key, value] of Object.entries(objectOf(json))) {
    try {
      const offset = OFFSET.read(key);
      if (offsets.has(offset)) throw new Refusal(`the offset ${key} stands here twice`, [], true);
      offsets.add(offset);
      parts.push({ offset, bytes: HEX_BYTES.read(value) });
    } catch (error) {
      throw error instanceof Refusal ? error.below(key) : error;
    }
  }
  return parts;
}

function writeParts(parts: readonly PageBytes[]): string {
  return `{${parts.map(({ offset, bytes }) => `"0x${offset.toString(16)}":${HEX_BYTES.write(bytes)}`).join(',')}}`;
}

const page = rowsOf<PageEvent>();
export const PAGE_TEXT: KindText = {
  kind: 'page',
  lead: [page.required('what', oneOf(PAGE_WHATS))],
  rows: [page.required('page', oneOf(PAGE_KINDS)), page.optional('gpa', U64)],
  extra: {
    keys: {
      fields: { type: 'object' },
      bytes: { type: 'object', additionalProperties: HEX_BYTES.schema },
    },
    read(object, draft) {
      const name = LAYOUTS[draft.page as PageKind];
      const fields = readKey(object, 'fields', (json) => {
        if (name === undefined) throw expected('"bytes" instead: this page has no known fields', json);
        return readStruct(structOf(name), json);
      });
      const parts = readKey(object, 'bytes', readParts);
      if (fields !== undefined && parts !== undefined)
        throw new Refusal('expected either "fields" or "bytes"', ['bytes'], true);
      if (fields !== undefined) draft.bytes = [{ offset: 0, bytes: fields }];
      else if (parts !== undefined) draft.bytes = parts;
    },
    write(event) {
      const { page: kind, bytes } = event as unknown as PageEvent;
      if (bytes === undefined) return '';
      const name = LAYOUTS[kind];
      const whole = bytes.length === 1 && bytes[0]?.offset === 0 ? bytes[0].bytes : undefined;
      return name !== undefined && whole?.length === structOf(name).size
        ? `,"fields":${writeStruct(structOf(name), whole)}`
        : `,"bytes":${writeParts(bytes)}`;
    },
  },
  tail: [],
};
