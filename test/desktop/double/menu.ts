import type {
  Menu as ElectronMenu,
  MenuItem as ElectronMenuItem,
  MenuItemConstructorOptions,
} from 'electron';
import { missing, onlyKnown } from './strict.ts';

type ItemMembers = Pick<ElectronMenuItem, 'id' | 'label' | 'enabled'>;

const OPTIONS = ['id', 'label', 'enabled', 'role', 'accelerator', 'submenu', 'type', 'click'];

/** What roles do when they are chosen; others are Electron's business and refuse to be clicked. */
export const roles = new Map<string, () => void>();

export class DoubleMenuItem implements ItemMembers {
  readonly id: string;
  readonly label: string;
  readonly enabled: boolean;
  readonly type: string;
  readonly role: string | undefined;
  readonly accelerator: string | undefined;
  readonly items: readonly DoubleMenuItem[];
  readonly #click: MenuItemConstructorOptions['click'];

  constructor(options: MenuItemConstructorOptions) {
    onlyKnown('MenuItem', options, OPTIONS);
    const { submenu = [] } = options;
    if (!Array.isArray(submenu)) throw missing('MenuItem: submenu that is a Menu');
    this.type = options.type ?? (options.submenu === undefined ? 'normal' : 'submenu');
    if (options.label === undefined && options.role === undefined && this.type !== 'separator')
      throw new TypeError('Invalid menu item: label, role or type must be specified');
    this.id = options.id ?? '';
    this.label = options.label ?? '';
    this.enabled = options.enabled ?? true;
    this.role = options.role;
    this.accelerator =
      typeof options.accelerator === 'string'
        ? options.accelerator
        : options.role === 'quit'
          ? 'CmdOrCtrl+Q'
          : undefined;
    this.items = submenu.map((item) => new DoubleMenuItem(item));
    this.#click = options.click;
  }

  /** Chosen by the user: nothing happens where it is greyed out. */
  choose(): void {
    if (!this.enabled) return;
    if (this.role === undefined) {
      // Without the item, window and keys that Electron hands over: a click that uses them fails to compile here.
      (this.#click as (() => void) | undefined)?.();
      return;
    }
    const action = roles.get(this.role);
    if (action === undefined) throw missing(`a click on role ${this.role}`);
    action();
  }
}

export class DoubleMenu implements Pick<ElectronMenu, never> {
  readonly items: readonly DoubleMenuItem[];

  constructor(items: readonly DoubleMenuItem[]) {
    this.items = items;
  }

  /** Every item, those of submenus too. */
  *all(items: readonly DoubleMenuItem[] = this.items): Iterable<DoubleMenuItem> {
    for (const item of items) {
      yield item;
      yield* this.all(item.items);
    }
  }
}

let applicationMenu: DoubleMenu | null = null;

export const Menu = {
  buildFromTemplate: (template: MenuItemConstructorOptions[]): DoubleMenu =>
    new DoubleMenu(template.map((item) => new DoubleMenuItem(item))),
  setApplicationMenu(menu: DoubleMenu | null): void {
    applicationMenu = menu;
  },
  getApplicationMenu: (): DoubleMenu | null => applicationMenu,
} satisfies Record<
  keyof Pick<typeof ElectronMenu, 'buildFromTemplate' | 'setApplicationMenu' | 'getApplicationMenu'>,
  unknown
>;
