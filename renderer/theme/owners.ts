/** Letter and colour of a component. VMBus and mshv share a SynIC: who did what must be seen at a glance. */

const LETTERS: Readonly<Record<string, string>> = {
  vmbus: 'V',
  mshv: 'M',
  timer: 'T',
  arch: 'A',
  guest: 'G',
  vmm: 'U',
  hypervisor: 'H',
  unknown: '?',
};

/** Colours that components with other names share; their letter tells them apart. */
const SHARED = ['arch', 'timer', 'guest', 'vmm'] as const;

export function ownerLetter(component: string): string {
  return LETTERS[component] ?? component.slice(0, 1).toUpperCase();
}

/** Key of the palette's `owners`. */
export function ownerColour(component: string): string {
  if (Object.hasOwn(LETTERS, component)) return component;
  let sum = 0;
  for (let i = 0; i < component.length; i++) sum += component.charCodeAt(i);
  return SHARED[sum % SHARED.length] ?? 'unknown';
}
