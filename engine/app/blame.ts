import { hexOf } from '../abi/text.ts';
import {
  ANSWER_FIELDS,
  answeredAt,
  type Blame,
  type BlameGround,
  type BlameLink,
  blameAnswer,
  blameCell,
} from '../analysis/blame.ts';
import type { Sides } from '../machine/machine.ts';
import { ReadArchive } from '../replay/reads.ts';
import type { EventSource } from '../replay/source.ts';
import { type Address, at as addressAt, formatAddress, parseAddress } from '../trace/position.ts';
import type { BlameLinkView, BlameView } from './api-analysis.ts';
import type { StateExplorer } from './cells.ts';
import type { EventReader } from './lists.ts';
import type { RowMaker } from './rows.ts';
import { NotThere } from './session-parts.ts';

interface Ground {
  readonly source: EventSource;
  readonly sides: Sides;
  readonly state: StateExplorer;
  readonly reader: EventReader;
  readonly rows: RowMaker;
}

/** `93.fault`, `812.3.status`, `4r.ret`: a position and a field of its answer. */
const ANSWER = /^([0-9]+(?:r|\.[0-9]+)?)\.([a-z]+)$/;

/** Answers who is to blame for a cell or an answer. */
export class Blamer {
  readonly #parts: Ground;
  readonly #ground: BlameGround;

  constructor(parts: Ground) {
    const { source, sides, state, reader } = parts;
    const { history, paths } = state;
    const reads = new ReadArchive(source, sides, history);
    this.#parts = parts;
    this.#ground = {
      source,
      history,
      paths,
      step: (address) => reader.step(address),
      reads: (address) => reads.of(address),
      ruleOf: (address) => reader.ruleOf(address),
    };
  }

  /** `of` is a cell path, asked after `at`, or the answer of an event; throws {@link NotThere} for what the trace lacks. */
  blame(of: string, at: Address): BlameView {
    const asked = ANSWER.exec(of);
    if (asked !== null) {
      const address = this.#answer(asked[1] as string, asked[2] as string);
      return this.#view(of, address, blameAnswer(this.#ground, address));
    }
    const { paths, history } = this.#ground;
    const found = paths.find(of);
    if (found === undefined) {
      throw new NotThere(
        `${JSON.stringify(of)} is no cell path and no answer; such as cpu[0].synic.scontrol, 93.fault or 12.ret`,
      );
    }
    const [cell] = found;
    if (cell === undefined)
      throw new NotThere(`no cell is called ${JSON.stringify(of)}; \`state\` lists them`);
    if (paths.path(cell) !== of) {
      throw new NotThere(
        `${JSON.stringify(of)} names several cells; ask for one, such as ${paths.path(cell)}`,
      );
    }
    if (!history.has(at)) throw new NotThere(`the trace has no position ${formatAddress(at)}`);
    return this.#view(of, at, blameCell(this.#ground, cell, at));
  }

  #answer(position: string, field: string): Address {
    const { history } = this.#ground;
    const asked = parseAddress(position);
    if (asked === undefined || asked.seq === 0 || !history.has(asked)) {
      throw new NotThere(`the trace has no position ${position}; its events are 1 to ${history.events}`);
    }
    const { seq, sub } = asked;
    const call: Address = position.endsWith('r') ? addressAt(seq) : { seq, sub };
    const event = this.#parts.reader.get(call)?.event;
    const fields = event === undefined ? [] : (ANSWER_FIELDS[event.kind] ?? []);
    if (event === undefined || !fields.includes(field)) {
      const kind = event === undefined ? 'event' : event.kind;
      const known = fields.length === 0 ? 'it has none' : `it has ${fields.join(', ')}`;
      throw new NotThere(`the ${kind} at ${position} has no answer ${JSON.stringify(field)}; ${known}`);
    }
    return answeredAt(history, event, call);
  }

  #view(of: string, at: Address, { links, cut }: Blame): BlameView {
    return { of, at: formatAddress(at), links: links.map((link) => this.#link(link)), cut };
  }

  #link({ why, depth, at, component, rule, cell }: BlameLink): BlameLinkView {
    const position = formatAddress(at);
    const listed = at.seq === 0 ? undefined : this.#parts.reader.get(addressOfEvent(at));
    return {
      why,
      depth,
      at: position,
      ...(component === undefined ? {} : { component }),
      ...(rule === undefined ? {} : { rule }),
      ...(cell === undefined
        ? {}
        : {
            cell: {
              path: cell.path,
              old: cell.old === undefined ? null : hexOf(cell.old),
              now: hexOf(cell.now),
            },
          }),
      ...(listed === undefined ? {} : { row: this.#parts.rows.of(listed) }),
    };
  }
}

/** The return of a call is shown as its call. */
function addressOfEvent(at: Address): Address {
  return formatAddress(at).endsWith('r') ? addressAt(at.seq) : at;
}
