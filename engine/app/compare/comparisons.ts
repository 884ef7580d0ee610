import type { AppRequests } from '../api.ts';
import type { Against, CompareRequests } from '../api-compare.ts';
import type { Changes } from '../changes.ts';
import type { EventReader } from '../lists.ts';
import { NotThere, type SessionParts } from '../session-parts.ts';
import type { Comparison } from './comparison.ts';
import { besideEdits } from './with-edits.ts';
import { besideTrace, type OtherTrace } from './with-trace.ts';
import type { Work } from './work.ts';

interface Ground {
  readonly parts: SessionParts;
  readonly reader: EventReader;
  readonly changes: Changes;
  readonly work: Work;
}

/** The comparisons that views look at: one with another trace, one with the newest edits. */
export class Comparisons {
  readonly #ground: Ground;
  #other: { readonly of: OtherTrace; readonly made: Comparison } | undefined;
  #edited: { readonly key: string; readonly made: Comparison } | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  view(input: Against): AppRequests['compare']['out'] {
    const made = this.#of(input);
    return 'problem' in made ? made : made.view();
  }

  rows(input: CompareRequests['compareRows']['in']): CompareRequests['compareRows']['out'] {
    return this.#sure(input).page(input.folded, input.from, input.count);
  }

  detail(input: CompareRequests['compareDetail']['in']): CompareRequests['compareDetail']['out'] {
    return this.#sure(input).detail(input.row);
  }

  place(input: CompareRequests['comparePlace']['in']): CompareRequests['comparePlace']['out'] {
    return this.#sure(input).place(input);
  }

  #sure(input: Against): Comparison {
    const made = this.#of(input);
    if ('problem' in made) throw new NotThere(made.problem);
    return made;
  }

  #of({ against, edits }: Against): Comparison | { readonly problem: string } {
    const { parts, reader, changes, work } = this.#ground;
    if (against === 'trace') {
      const of = parts.other?.();
      if (of === undefined) return { problem: 'there is no other trace to compare with' };
      if (this.#other?.of !== of) {
        const total = of.source.count + parts.source.count;
        this.#other = { of, made: work.run('compare', total, (report) => besideTrace(parts, of, report)) };
      }
      return this.#other.made;
    }
    const key = edits.join('\n');
    if (this.#edited?.key !== key) {
      const replayed = changes.replayed(edits);
      if ('problem' in replayed) return replayed;
      this.#edited = { key, made: besideEdits(parts.name, changes.original(), reader, replayed) };
    }
    return this.#edited.made;
  }
}
