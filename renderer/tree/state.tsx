import { useMemo } from 'preact/hooks';
import type { CellView } from '../../engine/app/api.ts';
import { type RowProps, Rows } from '../grid/rows.tsx';
import { History } from '../matrix/history.tsx';
import { type Model, useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { HeadRow } from '../widgets/list-parts.tsx';
import { Owner } from '../widgets/owner.tsx';
import { Position } from '../widgets/position.tsx';
import { useSeen } from '../widgets/seen.ts';
import { ancestors, type TreeLine, treeLines } from './build.ts';

/** In step with --row of grid.css. */
const ROW_PX = 20;
const HEAD_PX = 20;
const COLUMNS = ['Cell', 'Value', 'Meaning', 'Last write'] as const;

/** The state of the machine at the cursor. */
export function State() {
  const model = useModel();
  useSeen(model.stateSeen);
  return <Answered slot={model.state}>{({ cells }) => <Tree cells={cells} />}</Answered>;
}

function Tree({ cells }: { readonly cells: readonly CellView[] }) {
  const model = useModel();
  const { tree, view } = model;
  const answer = model.state.answer.value;
  const options = {
    open: tree.open.value,
    filter: tree.filter.value,
    changedOnly: tree.changedOnly.value,
  };
  const lines = useMemo(
    () => treeLines(cells, options),
    [cells, options.open, options.filter, options.changedOnly],
  );
  if (lines.length === 0) {
    return (
      <p class="empty">
        {options.changedOnly ? 'The event at the cursor changed no cell.' : 'No cell has such a path.'}
      </p>
    );
  }
  const found = lines.findIndex((line) => line.path === tree.line.value);
  const active = found === -1 ? undefined : found;
  const proof = new Set(model.shown.value?.cells);
  const matrixHas = model.matrix.value.value?.rows.some(({ cells: row }) =>
    row.some((cell) => cell.path === view.path.value),
  );
  return (
    <div class="state" data-at={answer?.input.at}>
      <Rows
        id="cell"
        label="State at the cursor"
        role="treegrid"
        columns={COLUMNS.length}
        count={lines.length}
        rowPx={ROW_PX}
        headPx={HEAD_PX}
        head={<HeadRow titles={COLUMNS} />}
        active={active}
        row={(index, props) => {
          const line = lines[index];
          return line === undefined ? undefined : (
            <Line key={props.id} line={line} props={props} proof={proof.has(line.path)} />
          );
        }}
        onMove={(index) => {
          tree.line.value = lines[index]?.path ?? '';
        }}
        onKeyDown={(event) => onTreeKey(event, model, lines, active)}
      />
      {view.path.value === '' || matrixHas ? undefined : <History />}
    </div>
  );
}

function onTreeKey(
  event: KeyboardEvent,
  model: Model,
  lines: readonly TreeLine[],
  active: number | undefined,
): void {
  const line = active === undefined ? undefined : lines[active];
  if (line === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.key === 'ArrowRight' && line.kind === 'node' && !line.open) toggle(model, line.path);
  else if (event.key === 'ArrowLeft' && line.kind === 'node' && line.open) toggle(model, line.path);
  else if (event.key === 'ArrowLeft') model.tree.line.value = ancestors(line.path).at(-1) ?? line.path;
  else if (event.key === 'Enter' || event.key === ' ') press(model, line);
  else return;
  event.preventDefault();
}

function press(model: Model, line: TreeLine): void {
  model.tree.line.value = line.path;
  if (line.kind === 'node') toggle(model, line.path);
  else model.view.path.value = line.path;
}

function toggle(model: Model, path: string): void {
  const open = new Set(model.tree.open.peek());
  if (!open.delete(path)) open.add(path);
  model.tree.open.value = open;
}

interface LineProps {
  readonly line: TreeLine;
  readonly props: RowProps;
  readonly proof: boolean;
}

function Line({ line, props, proof }: LineProps) {
  const model = useModel();
  const changed = line.kind === 'node' ? line.changed > 0 : line.cell.changed;
  const expanded = line.kind === 'node' ? line.open : undefined;
  return (
    <div
      {...props}
      class="row"
      data-path={line.path}
      data-copy={line.kind === 'cell' ? (line.cell.value ?? '?') : line.path}
      data-changed={changed}
      data-proof={proof}
      data-cursor={line.kind === 'cell' && model.view.path.value === line.path}
      aria-level={line.depth + 1}
      aria-expanded={expanded}
      onClick={() => press(model, line)}
    >
      <span role="gridcell" class="cell-name" data-depth={Math.min(line.depth, 8)} title={line.path}>
        <span class="twisty" aria-hidden="true">
          {expanded === undefined ? '' : expanded ? '▾' : '▸'}
        </span>
        <span class="cell-text">{line.name}</span>
        {changed ? (
          <b class="changed" role="img" aria-label="changed">
            {' '}
            Δ
          </b>
        ) : undefined}
        {proof ? (
          <b class="sign" data-sign="proof" role="img" aria-label="proof">
            {' '}
            ●
          </b>
        ) : undefined}
      </span>
      {line.kind === 'cell' ? <CellColumns cell={line.cell} /> : <NodeColumns line={line} />}
    </div>
  );
}

function CellColumns({ cell }: { readonly cell: CellView }) {
  return (
    <>
      <span role="gridcell" class="value">
        {cell.value ?? <span title="the recording began mid-life">?</span>}
      </span>
      <span role="gridcell" class="dim" title={meaningOf(cell)}>
        {meaningOf(cell)}
      </span>
      <span role="gridcell" class="cell-writer">
        {cell.writer === undefined ? undefined : (
          <>
            <Owner component={cell.writer.component} />{' '}
            <Position at={cell.writer.at} label={`go to the last write, ${cell.writer.at}`} />
          </>
        )}
      </span>
    </>
  );
}

function NodeColumns({ line }: { readonly line: TreeLine & { readonly kind: 'node' } }) {
  return (
    <>
      <span role="gridcell" class="dim">
        {line.cells === 1 ? '1 cell' : `${line.cells} cells`}
      </span>
      <span role="gridcell" class="dim">
        {line.changed === 0 ? '' : `${line.changed} changed`}
      </span>
      <span role="gridcell" />
    </>
  );
}

/** Members whose value says all: of a switch, an enum, a set of flags, a number. */
const BARE = ['is', 'name', 'set', 'decimal'];

/** Bits and members that are not zero, in short. */
function meaningOf({ decoded, value }: CellView): string {
  return Object.entries(decoded)
    .filter(([, text]) => text !== '' && text !== '0' && text !== '0x0' && value !== `0x${text}`)
    .map(([name, text]) => (BARE.includes(name) ? text : text === '1' ? name : `${name}=${text}`))
    .join(' ');
}
