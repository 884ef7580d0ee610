import { type Address, formatAddress, parseAddress, RETURN_SUB } from '../../trace/position.ts';
import { type Json, parseJson } from '../../trace/text/json.ts';

export type Where = 'before' | 'after';

/** One change of a trace, in positions of the trace as it was. An event moves, or goes, with all that happened below it. */
export type Edit =
  | { readonly what: 'drop'; readonly at: Address }
  | { readonly what: 'move'; readonly at: Address; readonly where: Where; readonly to: Address }
  /** `path` leads into the event's line of event text. */
  | { readonly what: 'set'; readonly at: Address; readonly path: readonly string[]; readonly value: Json }
  | { readonly what: 'insert'; readonly where: Where; readonly to: Address; readonly line: string }
  /** `key=value`, as `--profile` has it. */
  | { readonly what: 'profile'; readonly text: string };

/** An edit that cannot be read or made: what, where, what to do, in one line. */
export interface EditProblem {
  readonly problem: string;
}

const DROP = /^drop\s+(\S+)$/;
const MOVE = /^move\s+(\S+)\s+(before|after)\s+(\S+)$/;
const SET = /^set\s+([0-9]+(?:r|\.[0-9]+)?)\.([A-Za-z_][^=\s]*)\s*=\s*(.+)$/;
const INSERT = /^insert\s+(before|after)\s+(\S+)\s+(['"]?)(\{.*\})\3$/;
const PROFILE = /^profile\s+(\S+\s*=.*)$/;
const FORMS =
  "drop P, move P before|after P, set P.FIELD=VALUE, insert before|after P '<event line>' or profile KEY=VALUE";

/** Reads one edit as it stands on the command line. */
export function parseEdit(text: string): { readonly edit: Edit } | EditProblem {
  const given = text.trim();
  const refused = (what: string): EditProblem => ({ problem: `edit ${JSON.stringify(given)}: ${what}` });
  const place = (position: string | undefined): Address | string => {
    const at = parseAddress(position ?? '');
    if (at === undefined || at.seq === 0)
      return `${JSON.stringify(position)} is no event; such as 812 or 812.3`;
    if (at.sub === RETURN_SUB) return `${position} is the return of a call; name the call, ${at.seq}`;
    return at;
  };
  const drop = DROP.exec(given);
  if (drop !== null) {
    const at = place(drop[1]);
    return typeof at === 'string' ? refused(at) : { edit: { what: 'drop', at } };
  }
  const move = MOVE.exec(given);
  if (move !== null) {
    const [at, to] = [place(move[1]), place(move[3])];
    if (typeof at === 'string') return refused(at);
    if (typeof to === 'string') return refused(to);
    return { edit: { what: 'move', at, where: move[2] as Where, to } };
  }
  const set = SET.exec(given);
  if (set !== null) {
    const at = place(set[1]);
    if (typeof at === 'string') return refused(at);
    const [path, text] = [(set[2] as string).split('.'), (set[3] as string).trim()];
    if (!/^(["[{]|true$|false$|null$|-?[0-9]+$)/.test(text))
      return { edit: { what: 'set', at, path, value: text } };
    const read = parseJson(text);
    if ('problem' in read) return refused(`the value ${text}: ${read.problem.message}`);
    return { edit: { what: 'set', at, path, value: read.value } };
  }
  const insert = INSERT.exec(given);
  if (insert !== null) {
    const to = place(insert[2]);
    if (typeof to === 'string') return refused(to);
    return { edit: { what: 'insert', where: insert[1] as Where, to, line: insert[4] as string } };
  }
  const profile = PROFILE.exec(given);
  if (profile !== null) return { edit: { what: 'profile', text: profile[1] as string } };
  return refused(`expected ${FORMS}`);
}

/** The edit as it can be given again. */
export function formatEdit(edit: Edit): string {
  switch (edit.what) {
    case 'drop':
      return `drop ${formatAddress(edit.at)}`;
    case 'move':
      return `move ${formatAddress(edit.at)} ${edit.where} ${formatAddress(edit.to)}`;
    case 'set': {
      const { value } = edit;
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `set ${formatAddress(edit.at)}.${edit.path.join('.')}=${text}`;
    }
    case 'insert':
      return `insert ${edit.where} ${formatAddress(edit.to)} '${edit.line}'`;
    case 'profile':
      return `profile ${edit.text}`;
  }
}
