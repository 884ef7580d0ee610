import { type Edit, formatEdit, parseEdit } from '../analysis/what-if/edit.ts';
import { type Original, originalOf } from '../analysis/what-if/original.ts';
import { suggest } from '../analysis/what-if/suggest.ts';
import { whatIf } from '../analysis/what-if/what-if.ts';
import { parseAddress } from '../trace/position.ts';
import type { AnalysisRequests } from './api-analysis.ts';
import type { EventReader } from './lists.ts';
import type { RowMaker } from './rows.ts';
import { NotThere, type SessionParts } from './session-parts.ts';

/** Answers and cells of one answer. */
const MAX_SHOWN = 1000;

interface Ground {
  readonly parts: SessionParts;
  readonly reader: EventReader;
  readonly rows: RowMaker;
}

/** Answers what would come of a trace with changes; replays it once more when it is first asked. */
export class Changes {
  readonly #ground: Ground;
  #original: Original | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  whatIf(texts: readonly string[]): AnalysisRequests['whatIf']['out'] {
    const edits: Edit[] = [];
    for (const text of texts) {
      const read = parseEdit(text);
      if ('problem' in read) return read;
      edits.push(read.edit);
    }
    const result = whatIf(this.#trace(), edits);
    if ('problem' in result) return result;
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

  suggest(id: string): AnalysisRequests['suggest']['out'] {
    const original = this.#trace();
    const finding = original.findings.find((each) => each.id === id);
    if (finding === undefined) throw new NotThere(`the trace has no finding ${JSON.stringify(id)}`);
    return { edits: (suggest(original, finding) ?? []).map(formatEdit) };
  }

  #trace(): Original {
    const { source, sides } = this.#ground.parts;
    this.#original ??= originalOf(source, sides);
    return this.#original;
  }
}
