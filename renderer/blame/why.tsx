import type { BlameLinkView, BlameView } from '../../engine/app/api-analysis.ts';
import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { EventLine } from '../widgets/event-line.tsx';
import { PathButton } from '../widgets/path-button.tsx';
import { Position } from '../widgets/position.tsx';
import { useSeen } from '../widgets/seen.ts';

/** What led to the cell or answer that is asked for. */
export function Why() {
  const model = useModel();
  useSeen(model.blameSeen);
  if (model.view.why.value === '') {
    return (
      <p class="empty" data-focus="main" tabIndex={0}>
        Nothing is asked. Shift+B asks for the answer of the event at the cursor, “why” beside a cell for its
        value.
      </p>
    );
  }
  return <Answered slot={model.blame}>{(blame) => <Chains blame={blame} />}</Answered>;
}

function Chains({ blame }: { readonly blame: BlameView }) {
  return (
    <div
      class="why"
      data-focus="main"
      data-of={blame.of}
      tabIndex={0}
      role="region"
      aria-label={`why ${blame.of}`}
    >
      <h3>
        <span class="value">{blame.of}</span>
        <span class="dim">at</span> <Position at={blame.at} />
      </h3>
      <ol class="lines">
        {blame.links.map((link, i) => (
          <li
            key={`${i} ${link.at}`}
            class="why-link"
            data-why={link.why}
            data-depth={Math.min(link.depth, MAX_INDENT)}
          >
            <Link link={link} />
          </li>
        ))}
      </ol>
      {blame.cut ? <p class="dim">… and what led to the last of these.</p> : undefined}
    </div>
  );
}

/** Steps that the style sheet has. */
const MAX_INDENT = 8;

const WORDS: Readonly<Record<BlameLinkView['why'], string>> = {
  wrote: 'wrote',
  held: 'since before the first event',
  answered: 'answered',
  caused: 'below',
  failed: 'because of',
  decided: 'saw',
};

function Link({ link }: { readonly link: BlameLinkView }) {
  const { cell, rule, row } = link;
  return (
    <>
      <span class="why-word dim">{WORDS[link.why]}</span>
      {row === undefined ? undefined : <EventLine row={row} />}
      {cell === undefined ? undefined : <Cell cell={cell} held={link.why === 'held'} />}
      {rule === undefined ? undefined : <span class="dim value why-rule">{rule}</span>}
    </>
  );
}

function Cell({ cell, held }: { readonly cell: NonNullable<BlameLinkView['cell']>; readonly held: boolean }) {
  return (
    <span class="why-cell">
      <PathButton path={cell.path} />{' '}
      <span class="value">
        {held ? undefined : <span class="dim">{cell.old ?? '?'} → </span>}
        {cell.now}
      </span>
    </span>
  );
}
