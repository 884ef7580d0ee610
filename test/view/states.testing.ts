import { goTo, type View } from './view.testing.ts';

/** Something that the app can look like. */
export interface State {
  readonly name: string;
  /** The part that is new in it: the rest was judged in the states before. */
  readonly part: string;
  show(view: View): Promise<void>;
}

const closeDialog = async ({ page }: View): Promise<void> => {
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
};

/** What the app can look like, each reached from the one before. */
export const STATES: readonly State[] = [
  {
    name: 'a finding is shown',
    part: 'html',
    async show({ page }) {
      await page.keyboard.press('n');
      await page.locator('.write').first().waitFor();
    },
  },
  {
    name: 'a hypercall in full',
    part: '#panel-event',
    async show(view) {
      await view.page.keyboard.press('4');
      await goTo(view, '59');
      await view.page.locator('.bytes').first().focus();
    },
  },
  {
    name: 'the state',
    part: '#panel-state',
    async show({ page }) {
      await page.keyboard.press('6');
      await page.locator('.state .row .value').first().waitFor();
    },
  },
  {
    name: 'a mistake in the filter',
    part: '#panel-events',
    async show({ page }) {
      await page.keyboard.press('/');
      await page.keyboard.type('nothing == 1');
      await page.keyboard.press('Enter');
      await page.locator('.filter-problem', { hasText: 'column 1' }).waitFor();
    },
  },
  {
    name: 'words for the filter',
    part: '.filter',
    async show({ page }) {
      await page.getByLabel('Filter of events').fill('com');
      await page.locator('#filter-words [role=option]').first().waitFor();
      await page.keyboard.press('ArrowDown');
    },
  },
  {
    name: 'the palette',
    part: 'dialog',
    async show({ page }) {
      await page.keyboard.press('Control+k');
      await page.locator('.command').first().waitFor();
    },
  },
  {
    name: 'the keys',
    part: 'dialog',
    async show(view) {
      await closeDialog(view);
      await view.page.keyboard.press('F1');
      await view.page.locator('.sheet').waitFor();
    },
  },
  {
    name: 'the question where to go',
    part: 'dialog',
    async show(view) {
      await closeDialog(view);
      // The focus is back in the filter, from where the palette was opened.
      await view.page.keyboard.press('Escape');
      await view.page.keyboard.press('g');
      await view.page.locator('.goto').waitFor();
    },
  },
];
