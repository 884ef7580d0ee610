import type { History } from '../replay/history.ts';
import { returnOf } from '../replay/numbering.ts';
import type { StepReads } from '../replay/reads.ts';
import type { EventSource } from '../replay/source.ts';
import type { Step } from '../replay/step.ts';
import type { CellPaths } from '../state/path.ts';
import type { CellId } from '../state/store.ts';
import type { EventKind, TraceEvent } from '../trace/event.ts';
import { failed } from '../trace/failed.ts';
import { type Address, at, formatAddress, RETURN_SUB } from '../trace/position.ts';

/**
 * Why a link stands in a chain. `wrote`: this event gave the cell its value. `held`: the cell has it since before the first
 * event. `answered`: this is the answer, by the link's rule. `caused`: the link above happened below this event. `failed`: the
 * call above came to its result because this one below it failed. `decided`: the link above looked at the cell that this
 * event had written.
 */
export type BlameWhy = 'wrote' | 'held' | 'answered' | 'caused' | 'failed' | 'decided';

/** One link of the chains behind a cell or an answer. */
export interface BlameLink {
  readonly why: BlameWhy;
  /** Links between it and what was asked. */
  readonly depth: number;
  /** Position 0 for `held`. */
  readonly at: Address;
  readonly component?: string;
  readonly rule?: string;
  readonly cell?: BlamedCell;
}

/** A cell as a write left it; `old` undefined where it was not known. */
export interface BlamedCell {
  readonly path: string;
  readonly old?: bigint;
  readonly now: bigint;
}

/** The chains, each link right below the one that it explains, the shortest first. */
export interface Blame {
  readonly links: readonly BlameLink[];
  /** There is more behind the last links of some chains. */
  readonly cut: boolean;
}

/** A replayed trace, as far as blame looks at it. */
export interface BlameGround {
  readonly source: EventSource;
  readonly history: History;
  readonly paths: CellPaths;
  /** The step at a position. */
  step(address: Address): Step | undefined;
  reads(address: Address): StepReads;
  ruleOf(address: Address): string | undefined;
}

/** Links from what was asked to a stimulus: more than any cause in the samples takes. */
const MAX_DEPTH = 8;
/** Cells that decided one answer: the last that were looked at before it, which is where it was decided. */
const MAX_DECIDING = 3;
/** Links in all: a screen of them. */
const MAX_LINKS = 40;
/** How far below a call its recorded children are looked for. */
const MAX_BELOW = 4096;

/** The answers that an event of each kind has, as they are asked for: `P.status`. */
export const ANSWER_FIELDS: Readonly<Partial<Record<EventKind, readonly string[]>>> = {
  msr: ['fault', 'value'],
  hypercall: ['status', 'output', 'fault'],
  ioctl: ['ret', 'out'],
  fd: ['ret'],
  lifecycle: ['ret'],
};

/** How a cell came to what it holds after a position. */
export function blameCell(ground: BlameGround, cell: CellId, address: Address): Blame {
  const chains = new Chains(ground);
  chains.cell(cell, ground.history.offset(address), 'wrote', 0);
  return chains.blame();
}

/** How the event at a position came to its answer; the call is asked at its return. */
export function blameAnswer(ground: BlameGround, address: Address): Blame {
  const chains = new Chains(ground);
  chains.answer(address, 'answered', 0);
  return chains.blame();
}

/** What is to be explained next, at its place in the list. */
type Todo = () => void;

/** Chains that grow link by link, all to one depth before any goes deeper. */
class Chains {
  readonly #ground: BlameGround;
  readonly #links: LinkNode[] = [];
  readonly #seen = new Set<string>();
  #next: Todo[] = [];
  #above: LinkNode | undefined;
  #cut = false;

  constructor(ground: BlameGround) {
    this.#ground = ground;
  }

  blame(): Blame {
    while (this.#next.length > 0) {
      const level = this.#next;
      this.#next = [];
      for (const todo of level) todo();
    }
    const links: BlameLink[] = [];
    const list = ({ link, below }: LinkNode): void => {
      links.push(link);
      for (const node of below) list(node);
    };
    for (const node of this.#links) if (node.link.depth === 0) list(node);
    return { links, cut: this.#cut };
  }

  /** The last write of a cell among the first `offset` entries of the journal. */
  cell(cell: CellId, offset: number, why: 'wrote' | 'decided', depth: number): void {
    const { history, paths, ruleOf } = this.#ground;
    const write = history.lastWrite(cell, offset);
    const path = paths.path(cell);
    if (write === undefined || write.at.seq === 0) {
      // What nobody wrote explains an answer only where it was asked for, or where there is nothing else.
      if (why === 'wrote') {
        const now = write?.now ?? paths.slotOf(cell).reset;
        this.#add({ why: 'held', depth, at: at(0), cell: { path, now } });
      }
      return;
    }
    const rule = ruleOf(write.at);
    const link = this.#add({
      why,
      depth,
      at: write.at,
      component: write.component,
      ...(rule === undefined ? {} : { rule }),
      cell: { path, now: write.now, ...(write.oldKnown ? { old: write.old } : {}) },
    });
    if (link !== undefined) this.#behind(link, write.at);
  }

  /** The answer of an event: a call that failed below it, else the cells that were looked at. */
  answer(address: Address, why: 'answered' | 'failed', depth: number): void {
    const { step, ruleOf } = this.#ground;
    const { seq, sub } = address;
    const event = step({ seq, sub: sub === RETURN_SUB ? 0 : sub })?.event;
    const rule = ruleOf(address);
    const component = event?.component;
    const link = this.#add({
      why,
      depth,
      at: address,
      ...(component === undefined ? {} : { component }),
      ...(rule === undefined ? {} : { rule }),
    });
    if (link === undefined || event === undefined) return;
    const culprit =
      event.kind === 'msr' || event.kind === 'hypercall' ? undefined : this.#failedBelow(event, address);
    if (culprit === undefined) this.#behind(link, address);
    else this.#later(link, () => this.answer(culprit, 'failed', depth + 1));
  }

  /** What led to an event, and what it looked at. */
  #behind(link: LinkNode, address: Address): void {
    const { step, reads, history, paths } = this.#ground;
    const { depth } = link.link;
    const done = step(address);
    if (done === undefined) return;
    const returned = address.sub === RETURN_SUB;
    // The return of a call has its driver's reads; a cell that the call wrote itself decides nothing.
    const { answer, driver } = reads(address);
    const parent = returned ? undefined : done.parent;
    if (parent !== undefined) this.#later(link, () => this.#caused(parent, depth + 1));
    const looked = [...answer, ...(answer.length === 0 ? driver : [])].reverse();
    const isExistence = (cell: CellId): boolean => paths.objectOf(cell).id === (cell as number);
    // That an object is there says little where something that it holds was looked at too.
    const cells = [...looked.filter((cell) => !isExistence(cell)), ...looked.filter(isExistence)];
    const writers = new Set<string>([
      formatAddress(address),
      ...(returned ? [formatAddress(at(address.seq))] : []),
    ]);
    let decided = 0;
    for (const cell of cells) {
      if (decided === MAX_DECIDING || (decided > 0 && isExistence(cell))) break;
      const write = history.lastWrite(cell, done.from);
      if (write === undefined || write.at.seq === 0) continue;
      const writer = formatAddress(write.at);
      if (writers.has(writer)) continue;
      writers.add(writer);
      decided++;
      this.#later(link, () => this.cell(cell, done.from, 'decided', depth + 1));
    }
  }

  #caused(address: Address, depth: number): void {
    const { step, ruleOf } = this.#ground;
    const done = step(address);
    if (done === undefined) return;
    const { component } = done.event;
    const rule = ruleOf(address);
    const link = this.#add({
      why: 'caused',
      depth,
      at: address,
      ...(component === undefined ? {} : { component }),
      ...(rule === undefined ? {} : { rule }),
    });
    const { parent } = done;
    if (link !== undefined && parent !== undefined) {
      this.#later(link, () => this.#caused(parent, depth + 1));
    }
  }

  /** The last event below a call, or a step of a life cycle, that failed; a step that ends has them below its begin. */
  #failedBelow(event: TraceEvent, address: Address): Address | undefined {
    const { history, source, step } = this.#ground;
    const ends = event.kind === 'lifecycle' && event.phase === 'end';
    const { seq, sub } = (ends ? step(address)?.parent : undefined) ?? address;
    const isBelow = (parent: Address | undefined): boolean =>
      parent?.seq === seq && parent.sub === (sub === RETURN_SUB ? 0 : sub);
    let found: Address | undefined;
    for (let k = history.derivedBelow(seq); k > 0 && found === undefined; k--) {
      const derived = step(at(seq, k));
      if (derived !== undefined && isBelow(derived.parent) && failed(derived.event)) found = derived.address;
    }
    if (sub !== 0 && sub !== RETURN_SUB) return found;
    const until = Math.min(history.returnedDuring(seq) ?? seq + MAX_BELOW, seq + MAX_BELOW, source.count);
    const recorded = [...source.range(seq + 1, until)].findLast((e) => e.parent === seq && isFailure(e));
    return recorded === undefined ? found : at(recorded.seq);
  }

  /** A link is told once: chains that meet go on in the first of them. */
  #add(link: BlameLink): LinkNode | undefined {
    const key = `${formatAddress(link.at)} ${link.cell?.path ?? (link.why === 'caused' ? '' : 'answer')}`;
    if (this.#seen.has(key)) return undefined;
    if (this.#links.length >= MAX_LINKS) {
      this.#cut = true;
      return undefined;
    }
    this.#seen.add(key);
    const node: LinkNode = { link, below: [] };
    this.#links.push(node);
    this.#above?.below.push(node);
    return node;
  }

  #later(above: LinkNode, todo: Todo): void {
    if (above.link.depth + 1 >= MAX_DEPTH) {
      this.#cut = true;
      return;
    }
    this.#next.push(() => {
      this.#above = above;
      todo();
    });
  }
}

interface LinkNode {
  readonly link: BlameLink;
  readonly below: LinkNode[];
}

function isFailure(event: TraceEvent): boolean {
  return event.kind !== 'message' && failed(event);
}

/** The position at which an event is asked for its answer: a call has it when it has returned. */
export function answeredAt(history: History, event: TraceEvent, address: Address): Address {
  const returned = returnOf(address.seq);
  const isCall = event.kind === 'ioctl' || event.kind === 'fd';
  return isCall && address.sub === 0 && history.has(returned) ? returned : address;
}
