import type { EventSource } from '../../replay/source.ts';
import type { Finding, FindingJson } from '../../rules/finding.ts';
import { compareAddresses, parseAddress } from '../../trace/position.ts';
import { check } from '../check.ts';
import { candidates, moreOf, profileSwitches } from './candidates.ts';
import type { Edit } from './edit.ts';
import type { Original } from './original.ts';
import { findingsIf } from './what-if.ts';

/** Events replayed by one search: some ten seconds. */
const MAX_EVENTS = 4_000_000;
/** Changed traces that one search replays, however short they are. */
const MAX_TRIES = 240;
/** A finding that comes again elsewhere is followed so often. */
const MAX_EDITS = 12;

/**
 * The smallest change found that removes a finding and adds none: one event dropped, moved within its component or given another
 * value; else several, each where the finding shows next; else another profile. Always the same for the same trace. Undefined
 * where nothing was found within the bounds.
 */
export function suggest(
  original: Original,
  finding: Finding,
  progress: (done: number, of: number) => void = () => {},
): readonly Edit[] | undefined {
  const search = new Search(original, finding, progress);
  return search.single() ?? search.several() ?? search.profile();
}

class Search {
  readonly #original: Original;
  readonly #finding: Finding;
  readonly #progress: (done: number, of: number) => void;
  readonly #before: ReadonlySet<string>;
  /** Changed traces that may be replayed. */
  readonly #most: number;
  #left: number;

  constructor(original: Original, finding: Finding, progress: (done: number, of: number) => void) {
    this.#original = original;
    this.#finding = finding;
    this.#progress = progress;
    this.#before = new Set(original.findings.map(({ id }) => id));
    const affordable = Math.floor(MAX_EVENTS / Math.max(1, original.source.count));
    this.#most = Math.max(8, Math.min(MAX_TRIES, affordable));
    this.#left = this.#most;
  }

  /** One edit, or one for each register that a step of a life cycle left on. */
  single(): readonly Edit[] | undefined {
    for (const edits of candidates(this.#original, this.#finding)) {
      if (this.#left === 0) return undefined;
      if (this.#isRight(edits)) return this.#needed(edits);
    }
    return undefined;
  }

  /** The same kind of edit wherever the finding shows next, until it does not; then without those that are not needed. */
  several(): readonly Edit[] | undefined {
    for (const [first, second] of candidates(this.#original, this.#finding)) {
      if (first === undefined || second !== undefined || first.what === 'move') continue;
      let edits: Edit[] = [first];
      while (this.#left > 0) {
        const after = this.#try(edits);
        if (after === undefined) break;
        const still = after.find(({ id }) => id === this.#finding.id);
        if (still === undefined) {
          if (!this.#isSilent(after)) break;
          edits = this.#needed(edits);
          return edits;
        }
        const at = parseAddress(still.culprit.at);
        const next = at === undefined ? undefined : moreOf(this.#original, first, at);
        const isNew = next !== undefined && !edits.some((edit) => isAtOnePlace(edit, next));
        if (!isNew || edits.length >= MAX_EDITS) break;
        edits.push(next);
      }
      if (this.#left === 0) return undefined;
    }
    return undefined;
  }

  profile(): readonly Edit[] | undefined {
    for (const edit of profileSwitches(this.#original)) {
      if (this.#left === 0) return undefined;
      if (this.#isRight([edit])) return [edit];
    }
    return undefined;
  }

  #needed(edits: readonly Edit[]): Edit[] {
    let kept = [...edits];
    for (const edit of edits) {
      const without = kept.filter((each) => each !== edit);
      if (without.length > 0 && this.#left > 0 && this.#isRight(without)) kept = without;
    }
    return kept;
  }

  #isRight(edits: readonly Edit[]): boolean {
    const after = this.#try(edits);
    return after !== undefined && this.#isSilent(after);
  }

  /** The finding is not there, and nothing that was not there before. */
  #isSilent(after: readonly FindingJson[]): boolean {
    return after.every(({ id }) => id !== this.#finding.id && this.#before.has(id));
  }

  /** Undefined where the edits cannot be made. */
  #try(edits: readonly Edit[]): readonly FindingJson[] | undefined {
    this.#left--;
    this.#progress(this.#most - this.#left, this.#most);
    const goesOn = (): boolean => {
      this.#progress(this.#most - this.#left, this.#most);
      return true;
    };
    const judge = (source: EventSource): readonly Finding[] =>
      check(source, this.#original.sides, goesOn).findings;
    const after = findingsIf(this.#original, edits, judge);
    return 'problem' in after ? undefined : after;
  }
}

function isAtOnePlace(a: Edit, b: Edit): boolean {
  return 'at' in a && 'at' in b && compareAddresses(a.at, b.at) === 0;
}
