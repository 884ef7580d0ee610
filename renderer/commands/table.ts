import { focusedPanel, focusPanel } from '../app/focus.ts';
import { PANELS, type PanelId } from '../app/panel-names.ts';
import { askWhy, dropHere, moveHere, takeBack } from '../model/ask.ts';
import { goToChange, goToDivergence, goToExit, goToParent, goToRow, step } from '../model/go.ts';
import type { Model } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { fitRange, panRange, zoomRange } from '../model/range.ts';
import { hideFinding, showNextFinding } from '../model/show.ts';
import { THEMES } from '../theme/apply.ts';
import type { Command } from './command.ts';
import { copyTarget, copyText } from './copy.ts';
import { DIFF_COMMANDS } from './diff.ts';

/** Factor of one press of a zoom key. */
const ZOOM = 2;
/** Part of the window that one press of a pan key moves. */
const PAN = 0.25;
const PAGE = 20;

/** Every command. Palette, sheet and keyboard all read this table. */
export const COMMANDS: readonly Command[] = [
  move('step', 'Next event', ['j', 'ArrowDown'], (model) => step(model, 1)),
  move('step-back', 'Previous event', ['k', 'ArrowUp'], (model) => step(model, -1)),
  move('page-down', 'Twenty events on', ['PageDown'], (model) => step(model, PAGE)),
  move('page-up', 'Twenty events back', ['PageUp'], (model) => step(model, -PAGE)),
  move('first', 'First event', ['Home'], (model) => goToRow(model, 0)),
  move('last', 'Last event', ['End'], (model) => goToRow(model, (model.pages.peek().total.peek() ?? 1) - 1)),
  move('go-to', 'Go to an event or a time…', ['g'], (model) => {
    model.dialog.value = 'goto';
    return undefined;
  }),
  move('parent', 'To the event that caused this one', ['u'], goToParent),
  move('previous-change', 'Previous write of the selected cell', ['['], (model) => goToChange(model, -1)),
  move('next-change', 'Next write of the selected cell', [']'], (model) => goToChange(model, 1)),
  move('next-exit', 'Next VP exit', ['e'], (model) => goToExit(model, 1)),
  move('previous-exit', 'Previous VP exit', ['Shift+E'], (model) => goToExit(model, -1)),
  move('return', 'Between entry and return of the call', ['r'], (model) => {
    const at = model.view.at.peek();
    const { row } = model.event.value.peek() ?? {};
    if (at.endsWith('r')) model.jump(eventAt(at));
    else if (row?.at === at && row.durationNs !== undefined) model.jump(`${at}r`);
    else return 'only a call that took time has a return of its own';
    return undefined;
  }),
  {
    id: 'next-finding',
    group: 'Findings',
    title: 'Show the next finding',
    keys: ['n'],
    run: (model) => showNextFinding(model, 1),
  },
  {
    id: 'previous-finding',
    group: 'Findings',
    title: 'Show the previous finding',
    keys: ['p'],
    run: (model) => showNextFinding(model, -1),
  },
  {
    id: 'next-divergence',
    group: 'Findings',
    title: 'Next divergence',
    keys: ['Shift+N'],
    run: (model) => goToDivergence(model, 1),
  },
  {
    id: 'previous-divergence',
    group: 'Findings',
    title: 'Previous divergence',
    keys: ['Shift+P'],
    run: (model) => goToDivergence(model, -1),
  },
  {
    id: 'why-answer',
    group: 'Findings',
    title: 'Why did the event get this answer',
    keys: ['Shift+B'],
    run: askWhy,
  },
  change('what-if-drop', 'What if the event did not happen', ['Delete'], dropHere),
  change(
    'what-if-move',
    'What if the event stood elsewhere: pick it up, put it after another',
    ['m'],
    (model) => moveHere(model, 'after'),
  ),
  change('what-if-move-before', 'Put the event that is picked up before another', ['Shift+K'], (model) =>
    moveHere(model, 'before'),
  ),
  change('what-if-set', 'What if a field of the event were another', ['c'], (model) => {
    focusPanel(model, 'whatif', 'input');
    return undefined;
  }),
  change('what-if-clear', 'Take back the last edit of what-if', ['Backspace'], takeBack),
  ...DIFF_COMMANDS,
  {
    id: 'back-to-normal',
    group: 'Findings',
    title: 'End a search or a comparison, leave the finding, or the view that fills the window',
    keys: ['Escape'],
    async run(model) {
      if (model.work.peek() !== null) await model.app.invoke('cancel', {});
      else if (model.maximised.peek() !== '') model.maximised.value = '';
      else hideFinding(model);
      return undefined;
    },
  },
  {
    id: 'filter',
    group: 'List',
    title: 'Write a filter',
    keys: ['/'],
    run(model) {
      focusPanel(model, focusedPanel(document) === 'exits' ? 'exits' : 'events', 'input');
      return undefined;
    },
  },
  {
    id: 'clear-filter',
    group: 'List',
    title: 'Clear the filter',
    keys: ['Shift+X'],
    run(model) {
      const { filter, exitFilter } = model.view;
      if (focusedPanel(document) === 'exits') exitFilter.value = '';
      else filter.value = '';
      return undefined;
    },
  },
  {
    id: 'derived',
    group: 'List',
    title: 'Show or hide derived events',
    keys: ['d'],
    run(model) {
      model.view.derived.value = !model.view.derived.peek();
      return model.view.derived.peek() ? 'derived events are shown' : 'derived events are hidden';
    },
  },
  timeline('axis', 'Axis of time or of events', ['x'], (model) => {
    model.view.range.value = undefined;
    model.view.axis.value = model.view.axis.peek() === 'time' ? 'events' : 'time';
  }),
  timeline('zoom-in', 'Zoom in at the cursor', ['+', '='], (model) => zoomRange(model, 1 / ZOOM)),
  timeline('zoom-out', 'Zoom out', ['-'], (model) => zoomRange(model, ZOOM)),
  timeline('pan-left', 'Move the window left', ['Shift+ArrowLeft'], (model) => panRange(model, -PAN)),
  timeline('pan-right', 'Move the window right', ['Shift+ArrowRight'], (model) => panRange(model, PAN)),
  timeline('fit', 'Whole trace', ['0'], fitRange),
  ...PANELS.map(
    ({ id, title, key }): Command => ({
      id: `panel-${id}`,
      group: 'Views',
      title: `To ${title}`,
      keys: [key],
      run(model) {
        focusPanel(model, id);
        return undefined;
      },
    }),
  ),
  {
    id: 'next-panel',
    group: 'Views',
    title: 'To the next view',
    keys: ['F6'],
    run: (model) => cyclePanels(model, 1),
  },
  {
    id: 'previous-panel',
    group: 'Views',
    title: 'To the view before',
    keys: ['Shift+F6'],
    run: (model) => cyclePanels(model, -1),
  },
  {
    id: 'maximise',
    group: 'Views',
    title: 'Fill the window with this view, or put it back',
    keys: ['z'],
    run(model) {
      const panel = focusedPanel(document) ?? 'events';
      model.maximised.value = model.maximised.peek() === '' ? panel : '';
      // It is drawn anew in its other place.
      requestAnimationFrame(() => focusPanel(model, panel));
      return undefined;
    },
  },
  {
    id: 'nested',
    group: 'Views',
    title: 'SynIC of the nested level in the matrix, or of this one',
    keys: ['Shift+M'],
    run(model) {
      model.view.nested.value = !model.view.nested.peek();
      return undefined;
    },
  },
  {
    id: 'copy',
    group: 'Copy',
    title: 'Copy the value at the focus',
    keys: ['y'],
    run: (model) => copyText(copyTarget(document) ?? model.view.at.peek()),
  },
  {
    id: 'copy-line',
    group: 'Copy',
    title: 'Copy the event as a line of event text',
    keys: ['Shift+Y'],
    run(model) {
      const text = model.event.value.peek()?.text;
      return text === undefined ? 'no event stands here' : copyText(text);
    },
  },
  {
    id: 'copy-link',
    group: 'Copy',
    title: 'Copy a link to this view',
    keys: ['Shift+L'],
    run: () => copyText(window.location.href),
  },
  {
    id: 'open',
    group: 'App',
    title: 'Open another trace…',
    keys: ['Ctrl+O'],
    possible: inDesktop,
    async run(model) {
      await model.desk?.ask('openDialog', {});
      return undefined;
    },
  },
  {
    id: 'close',
    group: 'App',
    title: 'Close the trace',
    keys: ['Ctrl+W'],
    possible: inDesktop,
    async run(model) {
      await model.desk?.ask('closeTrace', {});
      return undefined;
    },
  },
  {
    id: 'palette',
    group: 'App',
    title: 'All commands…',
    keys: ['Ctrl+K'],
    run(model) {
      model.dialog.value = 'palette';
      return undefined;
    },
  },
  {
    id: 'sheet',
    group: 'App',
    title: 'Keys and signs',
    keys: ['?', 'F1'],
    run(model) {
      model.dialog.value = 'sheet';
      return undefined;
    },
  },
  {
    id: 'theme',
    group: 'App',
    title: 'Theme: as the system, dark, light',
    keys: ['t'],
    run(model) {
      const next = THEMES[(THEMES.indexOf(model.view.theme.peek()) + 1) % THEMES.length] ?? 'system';
      model.view.theme.value = next;
      return `theme: ${next}`;
    },
  },
];

function change(id: string, title: string, keys: readonly string[], run: Command['run']): Command {
  return { id, group: 'What if', title, keys, run };
}

function move(id: string, title: string, keys: readonly string[], run: Command['run']): Command {
  return { id, group: 'Move', title, keys, run };
}

function timeline(
  id: string,
  title: string,
  keys: readonly string[],
  change: (model: Model) => void,
): Command {
  return {
    id,
    group: 'Timeline',
    title,
    keys,
    run(model) {
      change(model);
      return undefined;
    },
  };
}

/** Only a desktop window can open files; a page has the trace that it was served with. */
function inDesktop(model: Model): boolean {
  return model.desk !== undefined;
}

function cyclePanels(model: Model, by: number): undefined {
  const now: PanelId = focusedPanel(document) ?? 'events';
  const ids = PANELS.map(({ id }) => id);
  focusPanel(model, ids[(ids.indexOf(now) + by + ids.length) % ids.length] ?? now);
}
