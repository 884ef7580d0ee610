import { useRef } from 'preact/hooks';
import type { FindingView } from '../../engine/app/api.ts';
import type { WhatIfView } from '../../engine/app/api-analysis.ts';
import { addEdit, setEdits } from '../model/ask.ts';
import { editsOf } from '../model/edits.ts';
import { useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { Answered, Problem } from '../widgets/answered.tsx';
import { CopyButton } from '../widgets/copy-button.tsx';
import { EventLine } from '../widgets/event-line.tsx';
import { Owner } from '../widgets/owner.tsx';
import { useSeen } from '../widgets/seen.ts';

/** The edits, and what comes of the trace with them. */
export function WhatIf() {
  const model = useModel();
  useSeen(model.whatIfSeen);
  const edits = editsOf(model.view.edits.value);
  return (
    <div
      class="whatif"
      data-focus="main"
      tabIndex={0}
      role="region"
      aria-label="edits and what comes of them"
    >
      <Edits edits={edits} />
      {edits.length === 0 ? (
        <p class="empty">
          Nothing is changed. Delete drops the event at the cursor, m picks it up and puts it after another, c
          changes a field; the trace itself stays as it is.
        </p>
      ) : (
        <Answered slot={model.whatIf}>
          {(result) =>
            'problem' in result ? <Problem problem={result.problem} /> : <Result result={result} />
          }
        </Answered>
      )}
    </div>
  );
}

function Edits({ edits }: { readonly edits: readonly string[] }) {
  const model = useModel();
  const input = useRef<HTMLInputElement>(null);
  const picked = model.picked.value;
  const add = (event: Event): void => {
    event.preventDefault();
    const text = input.current?.value.trim() ?? '';
    if (text === '' || input.current === null) return;
    input.current.value = '';
    addEdit(model, text);
  };
  return (
    <section aria-label="edits">
      <ol class="edits">
        {edits.map((edit, i) => (
          <li key={`${i} ${edit}`}>
            <span class="value">{edit}</span> <CopyButton text={edit} what="the edit" />
            <button
              type="button"
              aria-label={`take back ${edit}`}
              title="take it back"
              onClick={() => setEdits(model, edits.toSpliced(i, 1))}
            >
              ✕
            </button>
          </li>
        ))}
      </ol>
      {picked === '' ? undefined : (
        <p class="dim">{picked} is picked up: m puts it after the event at the cursor, Shift+K before.</p>
      )}
      <form class="edit-form" onSubmit={add}>
        <input
          ref={input}
          data-focus="input"
          aria-label="add an edit"
          placeholder={`set ${eventAt(model.view.at.value)}.value=0x1 · profile synicOwnership=merged · Enter adds it`}
          onFocus={(event) => {
            const field = event.currentTarget;
            if (field.value === '') field.value = `set ${eventAt(model.view.at.peek())}.`;
          }}
        />
      </form>
    </section>
  );
}

function Result({ result }: { readonly result: WhatIfView }) {
  const { findings, answers, state } = result;
  return (
    <>
      <div class="beside">
        <FindingList title="as it is" findings={findings.before} marked={findings.removed} sign="−" />
        <FindingList title="with the edits" findings={findings.after} marked={findings.added} sign="+" />
      </div>
      <section aria-label="answers that are other ones">
        <h3>
          answers that are other ones <span class="dim">{result.answersInAll}</span>
        </h3>
        <table class="table">
          <tbody>
            {answers.map(({ at, before, after, row }) => (
              <tr key={at}>
                <td>{row === undefined ? at : <EventLine row={row} />}</td>
                <td class="value">{before ?? '–'}</td>
                <td class="value">→ {after ?? 'does not happen'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-label="cells that end with another value">
        <h3>
          cells that end with another value <span class="dim">{result.stateInAll}</span>
        </h3>
        <table class="table">
          <tbody>
            {state.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row" class="value">
                  {path}
                </th>
                <td class="value">{before ?? '–'}</td>
                <td class="value">→ {after ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

interface FindingListProps {
  readonly title: string;
  readonly findings: readonly FindingView[];
  /** Those that the other side does not have. */
  readonly marked: readonly FindingView[];
  readonly sign: string;
}

function FindingList({ title, findings, marked, sign }: FindingListProps) {
  const isMarked = ({ id }: FindingView): boolean => marked.some((finding) => finding.id === id);
  return (
    <section aria-label={`findings ${title}`}>
      <h3>
        findings {title} <span class="dim">{findings.length}</span>
      </h3>
      {findings.length === 0 ? <p class="verdict-ok">✓ none</p> : undefined}
      <ul>
        {findings.map((finding) => (
          <li key={finding.id} data-marked={isMarked(finding)}>
            <span class="value" title={finding.id}>
              {isMarked(finding) ? sign : '='} {finding.rule}
            </span>{' '}
            <Owner component={finding.culprit.component} />{' '}
            <span class="dim value">{finding.culprit.at}</span> {finding.title}
          </li>
        ))}
      </ul>
    </section>
  );
}
