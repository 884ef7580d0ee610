import type { CellView } from '../../engine/app/api.ts';

/** A line of the tree: a node with others below it, or a cell. */
export type TreeLine = NodeLine | CellLine;

export interface NodeLine {
  readonly kind: 'node';
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly open: boolean;
  /** Cells anywhere below, and how many of them the event at the cursor changed. */
  readonly cells: number;
  readonly changed: number;
}

export interface CellLine {
  readonly kind: 'cell';
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly cell: CellView;
}

export interface TreeOptions {
  readonly open: ReadonlySet<string>;
  /** Words that a path must hold, `*` for anything; empty for all. What matches is shown open. */
  readonly filter: string;
  readonly changedOnly: boolean;
}

interface Node {
  readonly path: string;
  readonly name: string;
  readonly below: Map<string, Node>;
  cell: CellView | undefined;
  cells: number;
  changed: number;
}

/** The lines in sight, in the order of the cells (that of the state's tables). */
export function treeLines(cells: readonly CellView[], options: TreeOptions): TreeLine[] {
  const wanted = matcher(options.filter);
  const root: Node = node('', '');
  for (const cell of cells) {
    if ((!options.changedOnly || cell.changed) && wanted(cell.path)) add(root, cell);
  }
  const lines: TreeLine[] = [];
  const unfold = options.filter.trim() !== '' || options.changedOnly;
  for (const child of root.below.values()) flatten(lines, child, 0, options.open, unfold);
  return lines;
}

/** Paths of the nodes above a cell, outermost first: `cpu[0]`, `cpu[0].synic`. */
export function ancestors(path: string): string[] {
  const parts = path.split('.');
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('.'));
}

function node(path: string, name: string): Node {
  return { path, name, below: new Map(), cell: undefined, cells: 0, changed: 0 };
}

function add(root: Node, cell: CellView): void {
  let at = root;
  for (const name of cell.path.split('.')) {
    at.cells++;
    if (cell.changed) at.changed++;
    let next = at.below.get(name);
    if (next === undefined) {
      next = node(at.path === '' ? name : `${at.path}.${name}`, name);
      at.below.set(name, next);
    }
    at = next;
  }
  at.cell = cell;
}

function flatten(
  lines: TreeLine[],
  at: Node,
  depth: number,
  open: ReadonlySet<string>,
  unfold: boolean,
): void {
  const { path, name, cell, cells, changed } = at;
  if (cell !== undefined) lines.push({ kind: 'cell', path, name, depth, cell });
  if (at.below.size === 0) return;
  const isOpen = unfold || open.has(path);
  if (cell === undefined) lines.push({ kind: 'node', path, name, depth, open: isOpen, cells, changed });
  if (!isOpen && cell === undefined) return;
  for (const child of at.below.values()) flatten(lines, child, depth + 1, open, unfold);
}

function matcher(filter: string): (path: string) => boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const parts = words.map((word) => word.split('*'));
  return (path) => {
    const text = path.toLowerCase();
    return parts.every((pieces) => holds(text, pieces));
  };
}

/** Whether the pieces stand in the text one after the other: a search in linear time, whatever the words. */
function holds(text: string, pieces: readonly string[]): boolean {
  let from = 0;
  for (const piece of pieces) {
    const found = text.indexOf(piece, from);
    if (found === -1) return false;
    from = found + piece.length;
  }
  return true;
}
