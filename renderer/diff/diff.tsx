import type { CompareView } from '../../engine/app/api-compare.ts';
import { useModel } from '../model/model.ts';
import { Answered, Problem } from '../widgets/answered.tsx';
import { useSeen } from '../widgets/seen.ts';
import { Working } from '../widgets/working.tsx';
import { Detail } from './detail.tsx';
import { List } from './list.tsx';

/** Two machines side by side: what differs, event by event, and how they stand there. */
export function Diff() {
  const model = useModel();
  const { comparing } = model;
  useSeen(comparing.seen);
  const against = comparing.against.value;
  if (against === undefined) return <Nothing />;
  if (model.work.value?.what !== 'suggest' && !comparing.compare.fresh.value) {
    return (
      <p class="empty">
        comparing… <Working />
      </p>
    );
  }
  const problem = comparing.compare.problem.value;
  if (problem !== undefined) {
    return (
      <div class="empty">
        <Problem problem={problem} />
        <button type="button" onClick={() => comparing.again()}>
          Compare again
        </button>
      </div>
    );
  }
  return (
    <Answered slot={comparing.compare}>
      {(view) =>
        'problem' in view ? (
          <Problem problem={view.problem} />
        ) : (
          <div class="diff" data-against={against.against} data-differences={view.differences}>
            <Summary view={view} />
            <List view={view} />
            <Detail />
          </div>
        )
      }
    </Answered>
  );
}

function Nothing() {
  const model = useModel();
  return (
    <div class="empty" role="region" aria-label="nothing to compare with" tabIndex={0} data-focus="main">
      <p>
        Nothing to compare with. Edits of what-if (Delete, m, c) stand here beside the trace as it is; another
        trace does when both are opened: <span class="value">hvrewind serve A B</span>
      </p>
      {model.desk === undefined ? undefined : (
        <button type="button" onClick={() => void model.desk?.ask('compareDialog', {})}>
          Compare with a trace… <kbd>Ctrl</kbd> <kbd>D</kbd>
        </button>
      )}
    </div>
  );
}

/** What the comparison came to, in two lines. */
function Summary({ view }: { readonly view: CompareView }) {
  const { counts, first, equal, findings } = view;
  const told: readonly (readonly [string, number])[] = [
    ['= same', counts.same],
    ['≠ changed', counts.changed],
    ['− only in A', counts.onlyA],
    ['+ only in B', counts.onlyB],
    ['⇅ reordered', counts.moved],
  ];
  return (
    <section class="diff-summary" aria-label="what differs">
      <p>
        {equal ? <b class="verdict-ok">✓ the same in meaning</b> : undefined}
        {told.map(([word, count]) => (
          <span key={word} class={count === 0 ? 'dim' : undefined}>
            <b class="value">{count}</b> {word}
          </span>
        ))}
      </p>
      {first === undefined || first.fields.length === 0 ? undefined : (
        <p>
          <b>first ({first.reason})</b>
          {first.fields.map(({ field, a, b }) => (
            <span key={field} class="value first-field">
              {field} <span class="dim">A</span> {a} <span class="dim">B</span> {b}
            </span>
          ))}
        </p>
      )}
      {(['onlyA', 'onlyB'] as const).map((side) =>
        findings[side].map(({ id, rule, title }) => (
          <p key={id} class="one-line" title={title}>
            {side === 'onlyA' ? '− only A has' : '+ only B has'} the finding <b class="value">{rule}</b>{' '}
            {title}
          </p>
        )),
      )}
    </section>
  );
}
