import { type Edit, formatEdit, parseEdit } from '../analysis/what-if/edit.ts';
import { type Original, originalOf } from '../analysis/what-if/original.ts';
import { suggest } from '../analysis/what-if/suggest.ts';
import { outcomeOf, type Replayed, replayedWith } from '../analysis/what-if/what-if.ts';
import { parseAddress } from '../trace/position.ts';
import type { AnalysisRequests } from './api-analysis.ts';
import type { Work } from './compare/work.ts';
import type { EventReader } from './lists.ts';
import type { RowMaker } from './rows.ts';
import { NotThere, type SessionParts } from './session-parts.ts';

/** Answers and cells of one answer. */
const MAX_SHOWN = 1000;

interface Ground {
  readonly parts: SessionParts;
  readonly reader: EventReader;
  readonly rows: RowMaker;
  readonly work: Work;
}

/** Answers what would come of a trace with changes; replays it once more when it is first asked. */
export class Changes {
  readonly #ground: Ground;
  #original: Original | undefined;
  /** The newest edits: the view of what-if and that side by side ask for the same. */
  #newest: { readonly key: string; readonly replayed: Replayed } | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  whatIf(texts: readonly string[]): AnalysisRequests['whatIf']['out'] {
    const replayed = this.replayed(texts);
    if ('problem' in replayed) return replayed;
    const result = outcomeOf(this.original(), replayed);
    const { reader, rows } = this.#ground;
    const answers = result.answers.slice(0, MAX_SHOWN).map((answer) => {
      const address = parseAddress(answer.at.replace(/r$/, ''));
      const listed = address === undefined ? undefined : reader.get(address);
      return listed === undefined ? answer : { ...answer, row: rows.of(listed) };
    });
    const state = result.state.slice(0, MAX_SHOWN);
    return {
      ...result,
      answers,
      answersInAll: result.answers.length,
      state,
      stateInAll: result.state.length,
    };
  }

  /** The trace with edits made to it, replayed and judged. */
  replayed(texts: readonly string[]): Replayed | { readonly problem: string } {
    const key = texts.join('\n');
    if (this.#newest?.key === key) return this.#newest.replayed;
    const edits: Edit[] = [];
    for (const text of texts) {
      const read = parseEdit(text);
      if ('problem' in read) return read;
      edits.push(read.edit);
    }
    const original = this.original();
    const replayed = this.#ground.work.run('what-if', original.source.count, (report) =>
      replayedWith(original, edits, (done) => {
        report(done);
        return true;
      }),
    );
    if (!('problem' in replayed)) this.#newest = { key, replayed };
    return replayed;
  }

  suggest(id: string): AnalysisRequests['suggest']['out'] {
    const original = this.original();
    const finding = original.findings.find((each) => each.id === id);
    if (finding === undefined) throw new NotThere(`the trace has no finding ${JSON.stringify(id)}`);
    const edits = this.#ground.work.run('suggest', 0, (report) => suggest(original, finding, report));
    return { edits: (edits ?? []).map(formatEdit) };
  }

  /** The trace as it is, with what changed ones are compared with. */
  original(): Original {
    const { parts, work } = this.#ground;
    const { source, sides } = parts;
    this.#original ??= work.run('what-if', source.count, (report) =>
      originalOf(source, sides, (done) => {
        report(done);
        return true;
      }),
    );
    return this.#original;
  }
}
