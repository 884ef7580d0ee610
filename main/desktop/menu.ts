import { basename } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';

/** What our own menu items do; all others have a role of Electron. */
export type MenuAction = 'open' | 'compare' | 'clear-recent' | 'save-packed' | 'close-trace';

type Role = NonNullable<MenuItemConstructorOptions['role']>;

type Row =
  | {
      readonly does: MenuAction;
      readonly label: string;
      readonly accelerator?: string;
      /** Only with an open trace. */
      readonly needsTrace?: true;
    }
  | { readonly role: Role; readonly developer?: true }
  | 'recent'
  | 'separator';

/** All menus. The page has its keys without modifiers for itself, and Ctrl+K. */
export const MENUS: readonly { readonly label: string; readonly rows: readonly Row[] }[] = [
  {
    label: '&File',
    rows: [
      { does: 'open', label: '&Open…', accelerator: 'CmdOrCtrl+O' },
      'recent',
      { does: 'compare', label: 'Compare &With…', accelerator: 'CmdOrCtrl+D', needsTrace: true },
      'separator',
      {
        does: 'save-packed',
        label: '&Save Packed Copy…',
        accelerator: 'CmdOrCtrl+Shift+S',
        needsTrace: true,
      },
      { does: 'close-trace', label: '&Close Trace', accelerator: 'CmdOrCtrl+W', needsTrace: true },
      'separator',
      { role: 'quit' },
    ],
  },
  {
    label: '&Edit',
    rows: [
      { role: 'undo' },
      { role: 'redo' },
      'separator',
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
    ],
  },
  {
    label: '&View',
    rows: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      'separator',
      { role: 'togglefullscreen' },
      { role: 'toggleDevTools', developer: true },
    ],
  },
  { label: '&Help', rows: [{ role: 'about' }] },
];

/** What the menus depend on. */
export interface MenuState {
  readonly hasTrace: boolean;
  readonly recent: readonly string[];
  readonly developer: boolean;
  readonly platform: NodeJS.Platform;
}

/** What is done when an item is chosen. */
export interface MenuActions {
  run(action: MenuAction): void;
  openRecent(path: string): void;
}

/** The menus as Electron builds them. */
export function menuTemplate(state: MenuState, actions: MenuActions): MenuItemConstructorOptions[] {
  const columns = MENUS.map(
    ({ label, rows }): MenuItemConstructorOptions => ({
      label,
      submenu: rows.flatMap((row) => item(row, state, actions)),
    }),
  );
  // On macOS the first menu is that of the program itself.
  return state.platform === 'darwin' ? [{ role: 'appMenu' }, ...columns] : columns;
}

function item(row: Row, state: MenuState, actions: MenuActions): MenuItemConstructorOptions[] {
  if (row === 'separator') return [{ type: 'separator' }];
  if (row === 'recent') return [recentItem(state.recent, actions)];
  if ('role' in row) return row.developer === true && !state.developer ? [] : [{ role: row.role }];
  const { does, label, accelerator, needsTrace } = row;
  return [
    {
      id: does,
      label,
      ...(accelerator === undefined ? {} : { accelerator }),
      enabled: needsTrace !== true || state.hasTrace,
      click: () => actions.run(does),
    },
  ];
}

function recentItem(paths: readonly string[], actions: MenuActions): MenuItemConstructorOptions {
  return {
    id: 'recent',
    label: 'Open &Recent',
    enabled: paths.length > 0,
    submenu: [
      ...paths.map(
        (path): MenuItemConstructorOptions => ({
          // An ampersand marks the key of an item; a file name has it doubled.
          label: `${basename(path)}  (${path})`.replaceAll('&', '&&'),
          click: () => actions.openRecent(path),
        }),
      ),
      { type: 'separator' },
      { id: 'clear-recent', label: '&Clear', click: () => actions.run('clear-recent') },
    ],
  };
}
