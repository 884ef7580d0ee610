import type { ComponentChildren } from 'preact';

interface FactsProps {
  /** Name and value; what is not known is left out. */
  readonly facts: readonly (readonly [name: string, value: string | undefined])[];
  /** Facts that are more than text. */
  readonly children?: ComponentChildren;
}

/** What is known of something, name by name. */
export function Facts({ facts, children }: FactsProps) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? undefined : (
          <Fact key={name} name={name}>
            <span class="value">{value}</span>
          </Fact>
        ),
      )}
      {children}
    </dl>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
