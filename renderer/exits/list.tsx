import type { ExitRow } from '../../engine/app/api-exits.ts';
import { focusPanel } from '../app/focus.ts';
import { type RowProps, Rows } from '../grid/rows.tsx';
import { useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { Problem, Replaying } from '../widgets/answered.tsx';
import { HeadRow, WaitingRow } from '../widgets/list-parts.tsx';
import { Name } from '../widgets/name.tsx';
import { secondsText, timeText } from '../widgets/time.ts';
import { aboutOf, ranNs } from './words.ts';

/** In step with --row of base.css. */
const ROW_PX = 20;
const COLUMNS = ['Event', 'Stopped, s', 'VP', 'Message', 'About', 'Value', 'Guest', 'VMM', 'Calls'] as const;

/** The list of exits around the cursor. */
export function ExitList() {
  const model = useModel();
  const pages = model.exits.value;
  const total = pages.total.value;
  pages.version.value;
  if (pages.waiting.value) return <Replaying />;
  // The first page tells how many there are.
  if (total === undefined) pages.row(0);
  const problem = pages.problem.value;
  if (problem !== undefined) return <Problem problem={problem} />;
  if (total === 0) return <p class="empty">No exit matches the filter.</p>;
  const place = model.exitPlace.fresh.value ? model.exitPlace.value.value : undefined;
  const at = eventAt(model.view.at.value);
  const row = (index: number, props: RowProps) => {
    const exit = pages.row(index);
    return exit === undefined ? (
      <WaitingRow key={props.id} props={props} />
    ) : (
      <Row key={props.id} exit={exit} props={props} cursor={exit.at === at} last={index === place?.index} />
    );
  };
  return (
    <Rows
      id="exit"
      label="VP exits"
      role="grid"
      columns={COLUMNS.length}
      count={total ?? 0}
      rowPx={ROW_PX}
      headPx={ROW_PX}
      head={<HeadRow titles={COLUMNS} />}
      active={place?.index}
      row={row}
      onMove={async (index) => {
        const exit = await pages.fetch(index);
        if (exit !== undefined) model.view.at.value = exit.at;
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        const exit = place?.at;
        if (exit !== undefined) model.jump(exit);
        focusPanel(model, 'event');
      }}
    />
  );
}

interface ExitRowProps {
  readonly exit: ExitRow;
  readonly props: RowProps;
  readonly cursor: boolean;
  /** The last one before the cursor. */
  readonly last: boolean;
}

function Row({ exit, props, cursor, last }: ExitRowProps) {
  const model = useModel();
  const ran = ranNs(exit);
  const cells = [
    <span key="at" class="value exit-at">
      {last && !cursor ? (
        <span class="sign" data-sign="finding" role="img" aria-label="the last one before the cursor">
          ›
        </span>
      ) : undefined}
      {exit.at}
    </span>,
    <span key="time" class="value">
      {exit.endNs === undefined ? '' : secondsText(exit.endNs)}
    </span>,
    <span key="vp" class="value dim">
      {exit.vp}
    </span>,
    <span key="type">{exit.type === undefined ? undefined : <Name text={exit.type} />}</span>,
    <span key="about" data-failed={exit.failed}>
      {exit.failed ? '✕ ' : ''}
      {exit.type === undefined ? (exit.result ?? '') : <Name text={aboutOf(exit)} />}
    </span>,
    <span key="value" class="value">
      {exit.value ?? ''}
    </span>,
    <span key="ran" class="value">
      {ran === undefined ? 'still runs' : timeText(ran)}
    </span>,
    <span key="took" class="value">
      {exit.answeredNs === undefined ? '' : timeText(exit.answeredNs)}
    </span>,
    <span key="calls" class="value dim">
      {exit.calls}
    </span>,
  ];
  return (
    <div
      {...props}
      class="row"
      data-at={exit.at}
      data-copy={exit.at}
      data-cursor={cursor}
      onClick={() => {
        model.view.at.value = exit.at;
      }}
    >
      {cells.map((cell, i) => (
        <span key={cell.key} role="gridcell" aria-colindex={i + 1}>
          {cell}
        </span>
      ))}
    </div>
  );
}
