import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { MatrixCell, MsrMatrix } from '../../engine/app/api.ts';
import { type Model, useModel } from '../model/model.ts';
import { ownerColour, ownerLetter } from '../theme/owners.ts';
import { Answered } from '../widgets/answered.tsx';
import { useFocusHere } from '../widgets/focus-here.ts';
import { shortRegister, usedColumns } from './columns.ts';
import { History } from './history.tsx';

interface Spot {
  readonly row: number;
  readonly column: number;
}

/** CPUs by SynIC registers. */
export function Matrix() {
  const model = useModel();
  return <Answered slot={model.matrix}>{(matrix) => <Registers matrix={matrix} />}</Answered>;
}

function Registers({ matrix }: { readonly matrix: MsrMatrix }) {
  const model = useModel();
  if (matrix.rows.length === 0) {
    return (
      <p class="empty">{model.view.nested.value ? 'No CPU has a nested SynIC.' : 'No CPU is online.'}</p>
    );
  }
  const columns = model.allRegisters.value
    ? matrix.registers.map((_, column) => column)
    : usedColumns(matrix, model.matrixAtEnd.value.value);
  const path = model.view.path.value;
  const has = matrix.rows.some(({ cells }) => cells.some((cell) => cell.path === path));
  return (
    <div class="matrix" data-at={matrix.at}>
      <Table matrix={matrix} columns={columns} />
      {has ? <History /> : undefined}
    </div>
  );
}

function Table({ matrix, columns }: { readonly matrix: MsrMatrix; readonly columns: readonly number[] }) {
  const model = useModel();
  const grid = useRef<HTMLDivElement>(null);
  useFocusHere(grid);
  const spot = useSignal<Spot>({ row: 0, column: 0 });
  const focused = useSignal(false);
  const { row, column } = spot.value;
  const proof = new Set(model.shown.value?.cells);
  const id = (r: number, c: number): string => `msr-${r}-${c}`;
  return (
    <div
      ref={grid}
      class="matrix-cells"
      role="grid"
      tabIndex={0}
      data-focus="main"
      aria-label="SynIC registers of each CPU"
      aria-rowcount={matrix.rows.length + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={focused.value ? id(row, column) : undefined}
      style={{ gridTemplateColumns: `auto repeat(${columns.length}, minmax(8rem, 1fr))` }}
      onFocus={() => {
        focused.value = true;
      }}
      onBlur={() => {
        focused.value = false;
      }}
      onKeyDown={(event) => {
        const next = moved(event, spot.peek(), matrix.rows.length, columns.length);
        if (next !== undefined) {
          event.preventDefault();
          spot.value = next;
          document
            .getElementById(id(next.row, next.column))
            ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        } else if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          const cell = matrix.rows[row]?.cells[columns[column] ?? -1];
          if (cell !== undefined) select(model, cell);
        }
      }}
    >
      <div class="matrix-row" role="row" aria-rowindex={1}>
        <span role="columnheader" class="matrix-head">
          CPU
        </span>
        {columns.map((c) => (
          <span key={c} role="columnheader" class="matrix-head" title={matrix.registers[c]}>
            {shortRegister(matrix.registers[c] ?? '')}
          </span>
        ))}
      </div>
      {matrix.rows.map(({ cpu, cells }, r) => (
        <div key={cpu} class="matrix-row" role="row" aria-rowindex={r + 2}>
          <span role="rowheader" class="matrix-cpu value">
            {cpu}
          </span>
          {columns.map((c, i) => {
            const cell = cells[c];
            return cell === undefined ? (
              <span key={c} role="gridcell" />
            ) : (
              <Cell
                key={c}
                id={id(r, i)}
                cell={cell}
                proof={proof.has(cell.path)}
                active={focused.value && r === row && i === column}
                onClick={() => {
                  spot.value = { row: r, column: i };
                  select(model, cell);
                }}
              />
            );
          })}
        </div>
      ))}
    </div>
  );
}

function select(model: Model, cell: MatrixCell): void {
  model.view.path.value = cell.path;
}

interface CellProps {
  readonly id: string;
  readonly cell: MatrixCell;
  readonly proof: boolean;
  readonly active: boolean;
  onClick(): void;
}

function Cell({ id, cell, proof, active, onClick }: CellProps) {
  const model = useModel();
  const { owner, writer, path } = cell;
  return (
    <span
      id={id}
      role="gridcell"
      class="matrix-cell"
      data-path={path}
      data-copy={cell.value ?? '?'}
      data-owner={owner === undefined ? undefined : ownerColour(owner)}
      data-changed={cell.changed}
      data-proof={proof}
      data-active={active}
      aria-selected={model.view.path.value === path}
      title={titleOf(cell)}
      onClick={onClick}
    >
      <span class="matrix-value">
        <b class="matrix-owner" role="img" aria-label={owner === undefined ? 'no owner' : `owner ${owner}`}>
          {owner === undefined ? '·' : ownerLetter(owner)}
        </b>
        <span class="value">{cell.known ? cell.short : '?'}</span>
      </span>
      <span class="matrix-writer dim">
        {cell.changed ? (
          <b class="changed" role="img" aria-label="changed">
            Δ
          </b>
        ) : undefined}
        {writer === undefined ? 'reset' : `${writer.component} @${writer.at}`}
        {proof ? (
          <b class="sign" data-sign="proof" role="img" aria-label="proof">
            {' '}
            ●
          </b>
        ) : undefined}
      </span>
    </span>
  );
}

/** All that the cell leaves out, for the pointer. */
function titleOf({ path, value, decoded, writer, owner }: MatrixCell): string {
  const bits = Object.entries(decoded).map(([name, bit]) => `  ${name} = ${bit}`);
  return [
    `${path} = ${value ?? 'not known'}`,
    ...bits,
    owner === undefined ? 'no owner' : `owner: ${owner}`,
    writer === undefined ? 'not written' : `last written by ${writer.component} at ${writer.at}`,
  ].join('\n');
}

function moved(event: KeyboardEvent, { row, column }: Spot, rows: number, columns: number): Spot | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return undefined;
  const targets: Readonly<Record<string, Spot>> = {
    ArrowDown: { row: row + 1, column },
    ArrowUp: { row: row - 1, column },
    ArrowRight: { row, column: column + 1 },
    ArrowLeft: { row, column: column - 1 },
    Home: { row, column: 0 },
    End: { row, column: columns - 1 },
    PageDown: { row: rows - 1, column },
    PageUp: { row: 0, column },
  };
  const target = targets[event.key];
  if (target === undefined) return undefined;
  return {
    row: Math.min(Math.max(target.row, 0), rows - 1),
    column: Math.min(Math.max(target.column, 0), columns - 1),
  };
}
