import type { EventRow } from '../../engine/app/api.ts';
import type { BesideRow, CompareView } from '../../engine/app/api-compare.ts';
import { ROW_PX } from '../grid/events.tsx';
import { type RowProps, Rows } from '../grid/rows.tsx';
import { useModel } from '../model/model.ts';
import { Glyph } from '../widgets/glyph.tsx';
import { WaitingRow } from '../widgets/list-parts.tsx';
import { Name } from '../widgets/name.tsx';
import { Owner } from '../widgets/owner.tsx';
import { SIGNS } from './signs.ts';

const HEAD_PX = 20;
const COLUMNS = 9;

/** Both lists in one grid, what is the same in one row. */
export function List({ view }: { readonly view: CompareView }) {
  const { comparing } = useModel();
  const pages = comparing.pages.value;
  if (pages === undefined) return <p class="empty">…</p>;
  pages.version.value;
  const total = pages.total.value;
  if (total === undefined) pages.row(0);
  if (total === 0) return <p class="empty">There is no difference. The switch above shows all rows.</p>;
  const current = comparing.row.value;
  const row = (index: number, props: RowProps) => {
    const beside = pages.row(index);
    if (beside === undefined) return <WaitingRow key={props.id} props={props} />;
    return <Pair key={props.id} row={beside} props={props} cursor={Number(beside.at) === current} />;
  };
  return (
    <Rows
      id="beside"
      label={`${view.a} beside ${view.b}`}
      role="grid"
      columns={COLUMNS}
      count={total ?? 0}
      rowPx={ROW_PX}
      headPx={HEAD_PX}
      head={<Head view={view} />}
      active={comparing.place.value.value?.place?.index}
      row={row}
      onMove={async (index) => {
        const found = await pages.fetch(index);
        if (found !== undefined) comparing.toRow(Number(found.at), found.a?.at);
      }}
    />
  );
}

function Head({ view }: { readonly view: CompareView }) {
  const side = (name: 'A' | 'B', trace: string, first: number) => (
    <>
      <span role="columnheader" aria-colindex={first} class="at">
        <b class="value">{name}</b>
      </span>
      <span role="columnheader" aria-colindex={first + 1}>
        <span class="hidden">kind and component in {name}</span>
      </span>
      <span role="columnheader" aria-colindex={first + 2} title={trace} class="value trace-of">
        {trace}
      </span>
      <span role="columnheader" aria-colindex={first + 3}>
        Answer
      </span>
    </>
  );
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {side('A', view.a, 1)}
      <span role="columnheader" aria-colindex={5}>
        Differs
      </span>
      {side('B', view.b, 6)}
    </div>
  );
}

interface PairProps {
  readonly row: BesideRow;
  readonly props: RowProps;
  readonly cursor: boolean;
}

function Pair({ row, props, cursor }: PairProps) {
  const { comparing } = useModel();
  const { sign, a, b, first, differs, elsewhere, folded } = row;
  const { mark, word } = SIGNS[sign];
  const answers = a !== undefined && b !== undefined && a.result !== b.result;
  const told = `${word}${sign === 'reordered' && differs ? ', changed' : ''}`;
  return (
    <div
      {...props}
      class="row"
      data-row={row.at}
      data-at={a?.at ?? ''}
      data-sign={sign}
      data-first={first}
      data-folded={folded > 0}
      data-copy={a?.at ?? b?.at ?? ''}
      data-cursor={cursor}
      onClick={() => comparing.toRow(Number(row.at), a?.at)}
    >
      <Side event={a} name="A" first={1} marked={answers} elsewhere={elsewhere} />
      <span
        role="gridcell"
        aria-colindex={5}
        class="differs"
        title={`${told}${first ? ', the first difference' : ''}${folded > 0 ? `; ${folded} rows that are the same are left out above` : ''}`}
      >
        <b aria-hidden="true">
          {first ? '▸' : ''}
          {mark}
        </b>{' '}
        {sign === 'same' ? <span class="dim">{told}</span> : told}
      </span>
      <Side event={b} name="B" first={6} marked={answers} elsewhere={elsewhere} />
    </div>
  );
}

interface SideProps {
  readonly event: EventRow | undefined;
  readonly name: 'A' | 'B';
  /** Its first column. */
  readonly first: number;
  readonly marked: boolean;
  readonly elsewhere: string | undefined;
}

/** The event in one of both, in four cells; where it has none, that. */
function Side({ event, name, first, marked, elsewhere }: SideProps) {
  if (event === undefined) {
    return (
      <span role="gridcell" aria-colindex={first} class="missing dim" data-side={name}>
        {elsewhere === undefined ? (
          <span class="hidden">not in {name}</span>
        ) : (
          `in ${name} it is ${elsewhere}`
        )}
      </span>
    );
  }
  const { at, kind, provenance, component, op, result, failed, handle, who } = event;
  return (
    <>
      <span role="gridcell" aria-colindex={first} class="at" data-side={name}>
        <span class="value">{at}</span>
      </span>
      <span role="gridcell" aria-colindex={first + 1} class="kind-of">
        <Glyph kind={kind} provenance={provenance} />
        {component === undefined ? undefined : <Owner component={component} short />}
      </span>
      <span role="gridcell" aria-colindex={first + 2} title={`${op} · ${handle ?? who}`}>
        <Name text={op} /> <span class="dim on">{handle ?? who}</span>
      </span>
      <span role="gridcell" aria-colindex={first + 3} class="value" data-failed={failed} data-marked={marked}>
        {failed ? (
          <span class="cross" role="img" aria-label="failed">
            ✕{' '}
          </span>
        ) : undefined}
        {result === undefined ? undefined : <Name text={result} />}
      </span>
    </>
  );
}
