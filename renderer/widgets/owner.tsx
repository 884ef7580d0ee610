import { ownerColour, ownerLetter } from '../theme/owners.ts';

/** A component: its letter in its colour, and its name. `short` leaves the name to a title. */
export function Owner({
  component,
  short = false,
}: {
  readonly component: string;
  readonly short?: boolean;
}) {
  return (
    <span class="owner" data-owner={ownerColour(component)} title={short ? component : undefined}>
      <b aria-hidden={!short}>{ownerLetter(component)}</b>
      {short ? undefined : <span>{component}</span>}
    </span>
  );
}
