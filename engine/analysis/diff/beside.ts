/** What stands in a row of two traces side by side. */
export const SIGN = {
  same: 0,
  changed: 1,
  onlyA: 2,
  onlyB: 3,
  /** Of an event that comes in another order, at its place in the first trace, and in the second. */
  movedA: 4,
  movedB: 5,
  /** A remark: nothing compares it. */
  remarkA: 6,
  remarkB: 7,
} as const;
export type Sign = (typeof SIGN)[keyof typeof SIGN];

/** Which events of two lists are the same; numbers count from 1, 0: none. */
export interface Matched {
  readonly inB: Uint32Array;
  readonly inA: Uint32Array;
  /** 1 where the two are not alike, by number in the first list. */
  readonly differs: Uint8Array;
  /** -1 for what nothing compares, by number minus 1. */
  readonly actors?: readonly [Int32Array, Int32Array];
  /** 1 for events that were moved, by number in the first list: the others keep their order. */
  readonly moved?: Uint8Array;
}

/** Two lists in one: each keeps its own order, and what is the same stands in one row where that order allows it. */
export interface Beside {
  readonly rows: number;
  readonly signs: Uint8Array;
  /** How many events of each list stand in the rows up to this one: the number of the row's own, where it has one. */
  readonly upToA: Uint32Array;
  readonly upToB: Uint32Array;
  /** Row of an event of each list, by number. */
  readonly rowOfA: Uint32Array;
  readonly rowOfB: Uint32Array;
  /** Rows at which a run of differences begins, in order. */
  readonly differences: Uint32Array;
  readonly counts: Readonly<Record<'same' | 'changed' | 'onlyA' | 'onlyB' | 'moved', number>>;
}

export function hasA(sign: number): boolean {
  return sign <= SIGN.onlyA || sign === SIGN.movedA || sign === SIGN.remarkA;
}

export function hasB(sign: number): boolean {
  return sign <= SIGN.changed || sign === SIGN.onlyB || sign === SIGN.movedB || sign === SIGN.remarkB;
}

export function isDifference(sign: number): boolean {
  return sign === SIGN.changed || sign === SIGN.onlyA || sign === SIGN.onlyB;
}

/** Puts two lists beside each other. `marked`: rows of these events of the first list are differences whatever their sign. */
export function beside(matched: Matched, marked: readonly number[] = []): Beside {
  const { inA, inB, differs, actors } = matched;
  const [countA, countB] = [inB.length - 1, inA.length - 1];
  const inOrder = longestInOrder(matched);
  const most = countA + countB;
  const [signs, upToA, upToB] = [new Uint8Array(most), new Uint32Array(most), new Uint32Array(most)];
  const [rowOfA, rowOfB] = [new Uint32Array(countA + 1), new Uint32Array(countB + 1)];
  const counts = { same: 0, changed: 0, onlyA: 0, onlyB: 0, moved: 0 };
  let [rows, a, b] = [0, 0, 0];
  const put = (sign: Sign): void => {
    if (hasA(sign)) rowOfA[++a] = rows;
    if (hasB(sign)) rowOfB[++b] = rows;
    signs[rows] = sign;
    upToA[rows] = a;
    upToB[rows] = b;
    rows++;
  };
  const others = (upTo: number): void => {
    while (b < upTo) {
      if (inA[b + 1] !== 0) put(SIGN.movedB);
      else if (actors !== undefined && (actors[1][b] as number) < 0) put(SIGN.remarkB);
      else {
        counts.onlyB++;
        put(SIGN.onlyB);
      }
    }
  };
  while (a < countA) {
    const next = a + 1;
    const partner = inB[next] as number;
    if (partner === 0) {
      if (actors !== undefined && (actors[0][a] as number) < 0) put(SIGN.remarkA);
      else {
        counts.onlyA++;
        put(SIGN.onlyA);
      }
      continue;
    }
    if (differs[next] === 1) counts.changed++;
    if (inOrder[next] === 1) {
      others(partner - 1);
      if (differs[next] !== 1) counts.same++;
      put(differs[next] === 1 ? SIGN.changed : SIGN.same);
    } else {
      if (differs[next] !== 1) counts.moved++;
      put(SIGN.movedA);
    }
  }
  others(countB);
  const differences = runs(signs.subarray(0, rows), new Set(marked.map((number) => rowOfA[number])), (row) =>
    isChangedAndMoved(row, signs, upToA, differs),
  );
  return { rows, signs, upToA, upToB, rowOfA, rowOfB, differences, counts };
}

function isChangedAndMoved(row: number, signs: Uint8Array, upToA: Uint32Array, differs: Uint8Array): boolean {
  return signs[row] === SIGN.movedA && differs[upToA[row] as number] === 1;
}

/** Where runs of differences begin. */
function runs(
  signs: Uint8Array,
  marked: ReadonlySet<number | undefined>,
  also: (row: number) => boolean,
): Uint32Array {
  const found: number[] = [];
  let before = false;
  signs.forEach((sign, row) => {
    const now = isDifference(sign) || marked.has(row) || also(row);
    if (now && !before) found.push(row);
    before = now;
  });
  return Uint32Array.from(found);
}

/** 1 for each event of the first list that belongs to the longest run of partners that come in order (patience sorting). */
function longestInOrder({ inB, moved }: Matched): Uint8Array {
  const chosen = new Uint8Array(inB.length);
  /** By length of a run: the number of the event with which the best such run ends. */
  const ends: number[] = [];
  const before = new Uint32Array(inB.length);
  for (let a = 1; a < inB.length; a++) {
    const there = inB[a] as number;
    if (there === 0 || moved?.[a] === 1) continue;
    let [low, high] = [0, ends.length];
    // Nearly everything comes in order: the end is looked at first.
    if (high > 0 && (inB[ends[high - 1] as number] as number) < there) low = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((inB[ends[middle] as number] as number) < there) low = middle + 1;
      else high = middle;
    }
    before[a] = low === 0 ? 0 : (ends[low - 1] as number);
    ends[low] = a;
  }
  for (let a = ends.at(-1) ?? 0; a !== 0; a = before[a] as number) chosen[a] = 1;
  return chosen;
}
