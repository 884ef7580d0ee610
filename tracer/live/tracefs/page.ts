/**
 * One page of a ring buffer as `per_cpu/cpuN/trace_pipe_raw` gives it (Linux include/linux/ring_buffer.h and
 * kernel/trace/ring_buffer.c, rb_update_event and ring_buffer_read_page).
 */

/** Where the parts of a page lie; `events/header_page` says it. */
export interface PageLayout {
  readonly commitAt: number;
  /** 4 or 8: a `local_t` of the kernel. */
  readonly commitBytes: number;
  readonly dataAt: number;
}

/** What a page held besides its records. */
export interface PageResult {
  /** Time of the page's first record, in ns of the trace clock. */
  readonly t: number;
  readonly records: number;
  /** Events that the kernel overwrote or dropped before this page; undefined where it did not keep how many. */
  readonly lost: number | undefined;
  /** Bytes that are no whole record: 0 on a page that the kernel made. */
  readonly badBytes: number;
}

/** Called for each record: its time in ns, where its data begin and how many bytes they are. */
export type RecordVisitor = (t: number, at: number, length: number) => void;

/** Low bits of the commit word: how many bytes of data the page has (RB_MISSED_FLAGS are above). */
const COMMIT_MASK = 0x7ff_ffff;
const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;

/** Kinds of entry besides data (enum ring_buffer_type). */
const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
/** The delta of an entry header, in bits; a time extend has the bits above. */
const DELTA_UNIT = 2 ** 27;

/** Reads a page. Never throws: what is cut off or impossible is counted in `badBytes`. */
export function readPage(view: DataView, layout: PageLayout, visit: RecordVisitor): PageResult {
  const { commitAt, commitBytes, dataAt } = layout;
  const size = view.byteLength;
  if (size < dataAt || size < 8 || size < commitAt + commitBytes) {
    return { t: 0, records: 0, lost: 0, badBytes: size };
  }
  const start = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  const commit = view.getUint32(commitAt, true);
  const given = commit & COMMIT_MASK;
  const end = Math.min(dataAt + given, size);
  let t = start;
  let at = dataAt;
  let records = 0;
  while (at + 4 <= end) {
    const header = view.getUint32(at, true);
    const kind = header & 31;
    const delta = header >>> 5;
    let dataFrom = at + 4;
    let length = kind * 4;
    if (kind >= PADDING || kind === 0) {
      if (kind === PADDING && delta === 0) {
        at = end;
        break;
      }
      if (dataFrom + 4 > end) break;
      const word = view.getUint32(dataFrom, true);
      if (kind === TIME_EXTEND || kind === TIME_STAMP) {
        const time = delta + word * DELTA_UNIT;
        t = kind === TIME_EXTEND ? t + time : time;
        at += 8;
        continue;
      }
      // The length counts its own four bytes. A discarded record is padding with a time of its own.
      if (word < 4 || dataFrom + word > end) break;
      if (kind === PADDING) {
        t += delta;
        at = dataFrom + word;
        continue;
      }
      dataFrom += 4;
      length = word - 4;
    }
    if (dataFrom + length > end) break;
    t += delta;
    records += 1;
    visit(t, dataFrom, length);
    at = dataFrom + length;
    // Records of the kernel are a multiple of four bytes long; a length that is not is not followed.
    if (length % 4 !== 0) break;
  }
  const badBytes = end - at + Math.max(0, given - (size - dataAt));
  return { t: start, records, lost: lostOn(view, commit, dataAt + given, commitBytes), badBytes };
}

/** The kernel writes the number of lost events behind the data where there is room for it. */
function lostOn(view: DataView, commit: number, at: number, bytes: number): number | undefined {
  if ((commit & MISSED_EVENTS) === 0) return 0;
  if ((commit & MISSED_STORED) === 0 || at + bytes > view.byteLength) return undefined;
  const low = view.getUint32(at, true);
  return bytes === 8 ? view.getUint32(at + 4, true) * 2 ** 32 + low : low;
}
