import { goTo, settled, type View } from './view.testing.ts';

/** What the app can look like, each reached from the one before. */
export const STATES: readonly (readonly [string, (view: View) => Promise<void>])[] = [
  ['as it opens', async ({ page }) => void (await page.locator('.finding').waitFor())],
  [
    'with a finding shown',
    async ({ page }) => {
      await page.keyboard.press('n');
      await page.locator('.write').first().waitFor();
    },
  ],
  [
    'with an event in full',
    async (view) => {
      await view.page.keyboard.press('4');
      await goTo(view, '65');
      await view.page.locator('.fields').first().focus();
    },
  ],
  [
    'with a hypercall in full',
    async (view) => {
      await goTo(view, '54');
      await view.page.locator('.bytes').first().focus();
    },
  ],
  [
    'with the state',
    async ({ page }) => {
      await page.keyboard.press('6');
      await page.locator('.state .row .value').first().waitFor();
    },
  ],
  [
    'with a mistake in the filter',
    async ({ page }) => {
      await page.keyboard.press('/');
      await page.keyboard.type('nothing == 1');
      await page.keyboard.press('Enter');
      await page.locator('.filter-problem', { hasText: 'column 1' }).waitFor();
    },
  ],
  [
    'with words for the filter',
    async ({ page }) => {
      await page.getByLabel('Filter of events').fill('com');
      await page.locator('#filter-words [role=option]').first().waitFor();
      await page.keyboard.press('ArrowDown');
    },
  ],
  [
    'with the palette',
    async ({ page }) => {
      await page.keyboard.press('Control+k');
      await page.locator('.command').first().waitFor();
    },
  ],
  [
    'with the keys',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('F1');
      await page.locator('.sheet').waitFor();
    },
  ],
  [
    'asked where to go',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
      // The focus is back in the filter, from where the palette was opened.
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.locator('.goto').waitFor();
    },
  ],
  [
    'with a full window',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await settled(page, '54');
      await page.keyboard.press('z');
      await page.waitForFunction(() => document.querySelectorAll('.panel').length === 1);
    },
  ],
];
