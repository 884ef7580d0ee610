import { hexOf } from '../text.ts';
import { integerFromJson } from './integer-read.ts';
import { type AbiJson, isObject, type JsonObject, memberPath, type ObjectError } from './json.ts';

/** A run shorter than this is written out. */
const SHORTEST_RUN = 4;
/** Linux maps 2 MiB pages with the heads of 512 frames each. */
const LARGEST_STEP = 512n;
/** Elements that a list may come to, so that a hostile `count` cannot fill the memory: 4 GiB in 4 KiB pages. */
export const MAX_ELEMENTS = 1 << 20;

/** Writes page frames, with runs of a constant step as `{"from","count","step"}`. */
export function compressPages(pages: readonly bigint[]): AbiJson {
  const list: AbiJson[] = [];
  for (let at = 0; at < pages.length; ) {
    const count = runLength(pages, at);
    const from = hexOf(pages[at] as bigint);
    if (count < SHORTEST_RUN) {
      list.push(from);
      at++;
    } else {
      list.push({ from, count, step: Number((pages[at + 1] as bigint) - (pages[at] as bigint)) });
      at += count;
    }
  }
  return list;
}

function runLength(pages: readonly bigint[], at: number): number {
  const first = pages[at] as bigint;
  const second = pages[at + 1];
  if (second === undefined) return 1;
  const step = second - first;
  if (step < 1n || step > LARGEST_STEP) return 1;
  let count = 2;
  while (at + count < pages.length && pages[at + count] === first + step * BigInt(count)) count++;
  return count;
}

/** Writes `{"from","count","step"}` out; `step` is 1 where it is not given. Other elements stay as they are. */
export function expandPages(list: readonly unknown[], path: string): readonly unknown[] | ObjectError {
  if (!list.some(isObject)) return list;
  const pages: unknown[] = [];
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (!isObject(item)) {
      pages.push(item);
      continue;
    }
    const run = readRun(item, `${path}[${i}]`);
    if ('message' in run) return run;
    if (run.count > BigInt(MAX_ELEMENTS) - BigInt(pages.length)) {
      const message = `makes the list longer than ${MAX_ELEMENTS}`;
      return { path: `${path}[${i}].count`, message, expected: [] };
    }
    for (let page = 0n; page < run.count; page++)
      pages.push(String(BigInt.asUintN(64, run.from + page * run.step)));
  }
  return pages;
}

interface PageRun {
  readonly from: bigint;
  readonly count: bigint;
  readonly step: bigint;
}

function readRun(item: JsonObject, path: string): PageRun | ObjectError {
  const run = { from: 0n, count: 0n, step: 1n };
  for (const [name, value] of Object.entries(item)) {
    const place = memberPath(path, name);
    if (name !== 'from' && name !== 'count' && name !== 'step') {
      return { path: place, message: 'is not a member', expected: ['from', 'count', 'step'] };
    }
    const read = integerFromJson(value, 'dec', { bits: 64, signed: false });
    if (typeof read !== 'bigint') return { path: place, ...read };
    run[name] = read;
  }
  return run;
}
