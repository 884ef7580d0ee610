import { type ControlWord, fieldOf, hypercallInputLayout, hypercallOutputLayout } from '../../abi/index.ts';

type Layout = NonNullable<ReturnType<typeof hypercallInputLayout>>;

/** Bytes of one element of the list at the end of a block; 0 where it has none. */
function elementBytes(layout: Layout): number {
  const list = layout.fields.find(({ type }) => type.kind === 'array' && type.count === undefined);
  return list === undefined ? 0 : fieldOf(layout.name, list.name).stride;
}

function blockBytes(layout: Layout | undefined, elements: number): number {
  return layout === undefined ? 0 : layout.size + elements * elementBytes(layout);
}

/** Bytes of the input that a control word asks to be read: header, variable header, elements; 0 for an unknown shape. */
export function inputBytes({ code, variableHeaderQwords, repCount }: ControlWord): number {
  return blockBytes(hypercallInputLayout(code), repCount) + 8 * variableHeaderQwords;
}

/** Bytes of the output that a call has room to write. */
export function outputBytes({ code, repCount }: ControlWord): number {
  return blockBytes(hypercallOutputLayout(code), repCount);
}
