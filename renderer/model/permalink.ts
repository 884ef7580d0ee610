import { parseAddress } from '../../engine/trace/position.ts';
import { THEMES } from '../theme/apply.ts';
import { AXES, FIRST_VIEW, type Range, type ViewState } from './view.ts';

/** No filter or path needs more; a link is hostile input. */
const MAX_TEXT_CHARS = 2048;

/** The view as text after `#`: only what differs from the first view. */
export function formatLink(view: ViewState): string {
  const parts = new URLSearchParams();
  const put = (key: string, value: string, first: string): void => {
    if (value !== first) parts.set(key, value);
  };
  put('at', view.at, FIRST_VIEW.at);
  put('filter', view.filter, FIRST_VIEW.filter);
  put('derived', String(view.derived), String(FIRST_VIEW.derived));
  put('exits', view.exitFilter, FIRST_VIEW.exitFilter);
  put('path', view.path, FIRST_VIEW.path);
  put('panel', view.panel, FIRST_VIEW.panel);
  put('axis', view.axis, FIRST_VIEW.axis);
  if (view.range !== undefined) put('range', `${view.range.from}..${view.range.to}`, '');
  put('finding', view.finding, FIRST_VIEW.finding);
  put('why', view.why, FIRST_VIEW.why);
  put('edits', view.edits, FIRST_VIEW.edits);
  put('against', view.against, FIRST_VIEW.against);
  put('row', view.row, FIRST_VIEW.row);
  put('folded', String(view.folded), String(FIRST_VIEW.folded));
  put('nested', String(view.nested), String(FIRST_VIEW.nested));
  put('theme', view.theme, FIRST_VIEW.theme);
  return readable(parts.toString());
}

/** Reads such a text; what is missing or makes no sense is as in the first view. */
export function parseLink(hash: string): ViewState {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const text = (
    key: 'filter' | 'exits' | 'path' | 'panel' | 'finding' | 'why' | 'edits',
    first: string,
  ): string => {
    const value = parts.get(key) ?? first;
    return value.length > MAX_TEXT_CHARS ? first : value;
  };
  const one = <T extends string>(key: string, values: readonly T[], first: T): T =>
    values.find((value) => value === parts.get(key)) ?? first;
  const flag = (key: 'derived' | 'nested' | 'folded'): boolean =>
    one(key, ['true', 'false'], FIRST_VIEW[key] ? 'true' : 'false') === 'true';
  const at = parts.get('at') ?? '';
  return {
    at: parseAddress(at) === undefined ? FIRST_VIEW.at : at,
    filter: text('filter', FIRST_VIEW.filter),
    derived: flag('derived'),
    exitFilter: text('exits', FIRST_VIEW.exitFilter),
    path: text('path', FIRST_VIEW.path),
    panel: text('panel', FIRST_VIEW.panel),
    axis: one('axis', AXES, FIRST_VIEW.axis),
    range: parseRange(parts.get('range')),
    finding: text('finding', FIRST_VIEW.finding),
    nested: flag('nested'),
    why: text('why', FIRST_VIEW.why),
    edits: text('edits', FIRST_VIEW.edits),
    against: one<ViewState['against']>('against', ['trace', 'edits'], FIRST_VIEW.against),
    row: /^[0-9]{1,9}$/.test(parts.get('row') ?? '') ? (parts.get('row') ?? '') : FIRST_VIEW.row,
    folded: flag('folded'),
    theme: one('theme', THEMES, FIRST_VIEW.theme),
  };
}

function parseRange(text: string | null): Range | undefined {
  const match = /^([0-9.e+-]{1,24})\.\.([0-9.e+-]{1,24})$/.exec(text ?? '');
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? { from, to } : undefined;
}

/** Characters of paths and positions that need no escape after `#`: links are read by people too. */
function readable(query: string): string {
  return query
    .replaceAll('%5B', '[')
    .replaceAll('%5D', ']')
    .replaceAll('%3A', ':')
    .replaceAll('%28', '(')
    .replaceAll('%29', ')');
}
