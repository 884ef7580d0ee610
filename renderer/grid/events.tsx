import type { EventRow } from '../../engine/app/api.ts';
import { focusPanel } from '../app/focus.ts';
import { goToRow } from '../model/go.ts';
import { type Model, useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { proofOf } from '../model/show.ts';
import { Problem, Replaying } from '../widgets/answered.tsx';
import { Glyph } from '../widgets/glyph.tsx';
import { HeadRow, WaitingRow } from '../widgets/list-parts.tsx';
import { Name } from '../widgets/name.tsx';
import { Owner } from '../widgets/owner.tsx';
import { secondsText } from '../widgets/time.ts';
import { type RowProps, Rows } from './rows.tsx';

/** In step with --row and --head of grid.css. */
export const ROW_PX = 20;
const HEAD_PX = 20;
/** No monospaced face is wider than 0.61 em; numbers have 11.5 px. */
const DIGIT_PX = 7;
const SIGN_PX = 14;
/** The sign of the kind needs no title to be seen: its column is as narrow as the sign. */
const UNSEEN = 'Kind';
const COLUMNS = ['Event', 'Time, s', UNSEEN, 'By', 'On', 'What', 'Answer', 'Content'] as const;

/** The list of events around the cursor. */
export function Events() {
  const model = useModel();
  const pages = model.pages.value;
  const total = pages.total.value;
  pages.version.value;
  const problem = pages.problem.value;
  if (problem !== undefined) return <Problem problem={problem} />;
  if (pages.waiting.value) return <Replaying />;
  // The first page tells how long the list is.
  if (total === undefined) pages.row(0);
  if (total === 0) {
    return (
      <p class="empty">
        {model.view.filter.value === '' ? 'The trace has no events.' : 'No event matches the filter.'}
      </p>
    );
  }
  const at = eventAt(model.view.at.value);
  const shown = model.shown.value;
  const proof = new Map(shown === undefined ? [] : proofOf(shown).map((place, i) => [eventAt(place), i]));
  const row = (index: number, props: RowProps) => {
    const event = pages.row(index);
    return event === undefined ? (
      <WaitingRow key={props.id} props={props} />
    ) : (
      <Row
        key={props.id}
        event={event}
        props={props}
        cursor={event.at === at}
        depth={depthOf(model, event)}
        proof={proof.get(event.at)}
        culprit={shown !== undefined && eventAt(shown.culprit.at) === event.at}
      />
    );
  };
  const info = model.info.value.value;
  const widths = {
    '--at': `${SIGN_PX + (String(info?.events ?? 0).length + 3) * DIGIT_PX}px`,
    '--time': `${secondsText(info?.durationNs ?? 0).length * DIGIT_PX}px`,
  };
  return (
    <div class="events" style={widths}>
      <Rows
        id="event"
        label="Events"
        role="grid"
        columns={COLUMNS.length}
        count={total ?? 0}
        rowPx={ROW_PX}
        headPx={HEAD_PX}
        head={<HeadRow titles={COLUMNS} unseen={UNSEEN} />}
        active={total === undefined ? undefined : model.place.value}
        shift={model.list.shift.value}
        onSight={(sight) => {
          model.list.sight = sight;
        }}
        row={row}
        onMove={(index) => void goToRow(model, index)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          focusPanel(model, 'event');
        }}
      />
    </div>
  );
}

/** Events below others are indented; deeper than this it is no longer read. */
const MAX_DEPTH = 5;

function depthOf(model: Model, event: EventRow): number {
  let depth = 0;
  let parent = event.parent;
  while (parent !== undefined && depth < MAX_DEPTH) {
    depth++;
    parent = model.pages.peek().known(parent)?.parent;
  }
  return depth;
}

interface EventRowProps {
  readonly event: EventRow;
  readonly props: RowProps;
  readonly cursor: boolean;
  readonly depth: number;
  /** Place in the proof of the finding that is shown. */
  readonly proof: number | undefined;
  readonly culprit: boolean;
}

function Row({ event, props, cursor, depth, proof, culprit }: EventRowProps) {
  const model = useModel();
  const { at, kind, component, who, op, result, summary, handle } = event;
  return (
    <div
      {...props}
      class="row"
      data-at={at}
      data-copy={at}
      data-cursor={cursor}
      data-proof={proof !== undefined}
      onClick={() => model.moveTo(event)}
    >
      <span role="gridcell" aria-colindex={1} class="at">
        <Signs event={event} culprit={culprit} proof={proof} />
        <span class="value">{at}</span>
      </span>
      <span role="gridcell" aria-colindex={2} class="value time">
        {secondsText(event.tNs)}
      </span>
      <span role="gridcell" aria-colindex={3}>
        <Glyph kind={kind} provenance={event.provenance} />
      </span>
      <span role="gridcell" aria-colindex={4}>
        {component === undefined ? undefined : <Owner component={component} />}
      </span>
      <span role="gridcell" aria-colindex={5} class="dim">
        {handle ?? who}
      </span>
      <span role="gridcell" aria-colindex={6} class="op" data-depth={depth}>
        {depth > 0 ? (
          <span class="below" aria-hidden="true">
            {'└'}
          </span>
        ) : undefined}
        <Name text={op} />
      </span>
      <span role="gridcell" aria-colindex={7} class="value" data-failed={event.failed}>
        {event.failed ? (
          <span class="cross" role="img" aria-label="failed">
            ✕{' '}
          </span>
        ) : undefined}
        {result === undefined ? undefined : <Name text={result} />}
      </span>
      <span role="gridcell" aria-colindex={8} class="dim summary" title={summary}>
        {summary}
      </span>
    </div>
  );
}

/** What an event has to do with findings and divergences, as signs that are also read out. */
function Signs({
  event,
  culprit,
  proof,
}: {
  readonly event: EventRow;
  readonly culprit: boolean;
  readonly proof: number | undefined;
}) {
  if (event.diverges) return <Sign sign="≠" name="diverges" />;
  if (culprit) return <Sign sign="▲" name="culprit" />;
  if (proof !== undefined) return <Sign sign="●" name="proof" />;
  if (event.findings.length > 0) return <Sign sign="○" name="finding" />;
  return undefined;
}

function Sign({ sign, name }: { readonly sign: string; readonly name: string }) {
  return (
    <span class="sign" data-sign={name} role="img" aria-label={name} title={name}>
      {sign}
    </span>
  );
}
